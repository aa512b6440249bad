package gitlabtest_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// TestDownloadMode checks ?download_mode= on the routes that have it (gitlab!252350,
// gitlab!257219): the administrator decides which modes are allowed. 302 is direct, 200
// proxied.
func TestDownloadMode(t *testing.T) {
	t.Parallel()
	const byID, byRef, runner = "projects/1/jobs/1001/artifacts", "projects/1/jobs/artifacts/main/download?job=build", "jobs/1001/artifacts"
	both := []string{"direct", "proxy"}
	redirect := func(allowed ...string) gitlabtest.Options {
		return gitlabtest.Options{Mode: gitlabtest.ModeRedirect, DownloadModes: allowed}
	}
	proxy := func(allowed ...string) gitlabtest.Options {
		return gitlabtest.Options{Mode: gitlabtest.ModeProxy, DownloadModes: allowed}
	}
	old := func(o gitlabtest.Options) gitlabtest.Options { o.Version = "19.3"; return o }
	tests := []struct {
		o    gitlabtest.Options
		path string
		want []int // without a mode, direct, proxy, unknown
	}{
		{redirect(both...), byID, []int{302, 302, 200, 400}},
		{redirect("direct"), byID, []int{302, 302, 302, 400}},
		{redirect(), byID, []int{302, 302, 302, 400}},
		{proxy(both...), byID, []int{200, 302, 200, 400}},
		{proxy("proxy"), byID, []int{200, 200, 200, 400}},
		{proxy(), byID, []int{200, 200, 200, 400}},
		{gitlabtest.Options{}, byID, []int{200, 200, 200, 400}}, // from disk, the mode makes no difference
		{redirect(both...), byRef, []int{302, 302, 302, 302}},   // the route ignores it
		{redirect(both...), runner, []int{200, 302, 200, 400}},
		{redirect("direct"), runner, []int{200, 302, 200, 400}},
		{redirect(), runner, []int{200, 302, 200, 400}},
		{redirect(both...), runner + "?direct_download=true", []int{302, 302, 200, 400}},
		{redirect("direct"), runner + "?direct_download=true", []int{302, 302, 302, 400}},
		{proxy(both...), runner, []int{200, 302, 200, 400}},
		{proxy(both...), runner + "?direct_download=true", []int{200, 302, 200, 400}},
		{proxy(), runner + "?direct_download=true", []int{200, 200, 200, 400}},
		{old(redirect(both...)), byID, []int{302, 302, 302, 302}},
		{old(redirect(both...)), runner, []int{200, 200, 200, 200}},
		{old(redirect(both...)), runner + "?direct_download=1", []int{302, 302, 302, 302}},
	}
	for _, tt := range tests {
		s := start(t, tt.o)
		for i, query := range []string{"", "download_mode=direct", "download_mode=proxy", "download_mode=carrier"} {
			separator := "?"
			if strings.Contains(tt.path, "?") {
				separator = "&"
			}
			if got := ask(t, s.APIURL+"/"+tt.path+separator+query, credentials["job"]...); got.status != tt.want[i] {
				t.Errorf("%s %v %s %s %s: %d, want %d", tt.o.Version, tt.o.DownloadModes, tt.o.Mode, tt.path, query, got.status, tt.want[i])
			}
		}
	}
}

// Options switch answers that we couldn't confirm: refusing modes that aren't allowed,
// and supporting the parameter by ref.
func TestUnconfirmedModes(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{Mode: gitlabtest.ModeRedirect, RefusedMode: 403, Since: map[string]string{"download_mode by ref": "19.4"}, DownloadModes: []string{"direct"}})
	for path, want := range map[string]int{
		"projects/1/jobs/1001/artifacts?download_mode=proxy":                       403,
		"projects/1/jobs/1001/artifacts?download_mode=direct":                      302,
		"projects/1/jobs/1001/artifacts":                                           302,
		"projects/1/jobs/artifacts/main/download?job=build&download_mode=proxy":    403,
		"projects/1/jobs/artifacts/main/download?job=build&download_mode=nonsense": 400,
	} {
		if got := ask(t, s.APIURL+"/"+path, credentials["job"]...); got.status != want {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

// If the options are impossible, every request says so.
func TestWrongOptions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]gitlabtest.Options{
		"a mode":       {DownloadModes: []string{"redirect"}},
		"the default":  {Mode: gitlabtest.ModeRedirect, DownloadModes: []string{"proxy"}},
		"a feature":    {Since: map[string]string{"file type": "19.4"}},
		"a version":    {Since: map[string]string{"file_type": "soon"}},
		"the dead end": {StorageDown: "slow"},
		"before it":    {StorageDown: "refused", Since: map[string]string{"file type": "19.4"}},
		"a shape":      {Limits: &gitlabtest.Limits{Shape: "nginx"}},
	} {
		s := start(t, o)
		if got := ask(t, s.APIURL+"/metadata"); got.status != http.StatusNotImplemented || s.Err() == nil || !strings.Contains(got.body, s.Err().Error()) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if s := start(t, gitlabtest.Options{DownloadModes: []string{"proxy"}, Since: map[string]string{"file_type": "never"}}); s.Err() != nil {
		t.Error(s.Err())
	}
}

// In each of these ways storage can be unreachable for clients, while GitLab can still
// proxy it.
func TestStorageDown(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"refused", "no-name", "untrusted", "silent", "black-hole"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := start(t, gitlabtest.Options{Mode: gitlabtest.ModeRedirect, StorageDown: kind, DownloadModes: []string{"direct", "proxy"}})
			direct := ask(t, s.APIURL+"/projects/1/jobs/1001/artifacts", credentials["job"]...)
			location := direct.header.Get("Location")
			if direct.status != 302 || !strings.HasPrefix(location, s.StorageURL+"/artifacts/1001/artifacts.zip?") {
				t.Fatalf("%d %s, storage at %s", direct.status, location, s.StorageURL)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, location, nil)
			if err != nil {
				t.Fatal(err)
			}
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			if resp, err := client.Do(req); err == nil {
				_ = resp.Body.Close()
				t.Errorf("storage answers: %d", resp.StatusCode)
			}
			for _, path := range []string{"/projects/1/jobs/1001/artifacts?download_mode=proxy", "/jobs/1001/artifacts"} {
				if got := ask(t, s.APIURL+path, credentials["job"]...); got.status != 200 || got.body != string(archive1001()) {
					t.Errorf("%s: %d, %d bytes", path, got.status, len(got.body))
				}
			}
		})
	}
}
