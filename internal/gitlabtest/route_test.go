package gitlabtest_test

import (
	"net/http"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// send is ask with another method; it doesn't follow redirects.
func send(t *testing.T, method, address string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return answer{resp.StatusCode, resp.Header, ""}
}

// The two spellings of 404 and the unknown route; what Grape validates, and whether
// before or after authentication.
func TestEnvelopes(t *testing.T) {
	t.Parallel()
	const (
		record  = `{"message":"404 Not found"}`
		said    = `{"message":"404 Not Found"}`
		route   = `{"error":"404 Not Found"}`
		project = `{"message":"404 Project Not Found"}`
		nobody  = `{"message":"401 Unauthorized"}`
	)
	tests := []struct{ version, path, who, want string }{
		{"", "projects/1/jobs/999/artifacts", "job", record},
		{"", "projects/1/jobs/999/artifacts/a", "job", record},
		{"", "projects/1/jobs/2001/artifacts", "job", record}, // belongs to another project
		{"", "projects/1/jobs/1090/artifacts", "job", record}, // a trigger job
		{"", "projects/1/jobs/999", "private", record},
		{"", "projects/1/pipelines/999", "job", record},
		{"", "projects/1/pipelines/999/jobs", "job", record},
		{"", "projects/1/pipelines/999/bridges", "job", record},
		{"", "projects/1/pipelines/999/trigger_jobs", "job", record},
		{"", "projects/1/jobs/artifacts/none/download?job=build", "job", record},
		{"", "projects/1/jobs/1011/artifacts", "job", said},
		{"", "projects/1/jobs/1009/artifacts", "job", said},
		{"", "jobs/1009/artifacts", "job", said},
		{"", "projects/999/jobs/1/artifacts", "job", project},
		{"", "projects/app/jobs/1001/artifacts", "job", project},
		{"", "projects/group/app/jobs/1001/artifacts", "job", route},
		{"", "projects/1/pipelines/100/nothing", "job", route},
		{"", "projects/1/jobs/1001/nothing", "job", route},
		{"", "nothing", "nobody", route},
		{"19.1", "projects/1/pipelines/999/trigger_jobs", "private", route},
		{"19.1", "projects/1/pipelines/999/bridges", "private", record},
		{"", "projects/999/jobs/artifacts/main/download", "nobody", `{"error":"job is missing"}`},
		{"", "projects/1/jobs/artifacts/main/raw/a", "dead job", `{"error":"job is missing"}`},
		{"", "projects/1/jobs/x/artifacts", "nobody", `{"error":"job_id is invalid"}`},
		{"", "jobs/x/artifacts", "nobody", `{"error":"id is invalid"}`},
		{"", "projects/1/pipelines/x/jobs", "nobody", `{"error":"pipeline_id is invalid"}`},
		{"", "projects/1/pipelines/100/jobs?scope=x", "nobody", `{"error":"scope does not have a valid value"}`},
		{"", "projects/1/jobs/x", "nobody", nobody},
		{"", "projects/1/jobs/x", "private", `{"error":"job_id is invalid"}`},
		{"", "projects/999/jobs?scope=x", "nobody", nobody},
		{"", "projects/999/jobs?scope=x", "private", `{"error":"scope does not have a valid value"}`},
		{"", "projects/1/jobs/1001/artifacts/a%00b", "job", `{"message":"400 Bad request"}`},
		{"", "projects/1/jobs/1001/artifacts/%ff", "job", `{"message":"400 Bad request"}`},
		{"", "projects/1/jobs/1009/artifacts/%ff", "job", said},
		{"", "projects/1/jobs/1001/artifacts/..%2Fjob.txt", "job", "404 page not found\n"},
		{"", "projects/1/jobs/1001/artifacts/.%2Fjob.txt", "job", "404 page not found\n"},
	}
	for _, tt := range tests {
		s := start(t, gitlabtest.Options{Version: tt.version})
		if got := ask(t, s.APIURL+"/"+tt.path, credentials[tt.who]...); got.body != tt.want {
			t.Errorf("%s %s as %s: %d %.100q, want %q", tt.version, tt.path, tt.who, got.status, got.body, tt.want)
		}
	}
}

// Slashes in a ref and a path, encoded or not: :ref_name is greedy.
func TestByRefAddresses(t *testing.T) {
	t.Parallel()
	tests := []struct{ path, want string }{
		{"release%2F2.x/raw/job.txt?job=build", "build 1601\n"},
		{"release/2.x/raw/job.txt?job=build", "build 1601\n"},
		{"refs%2Fmerge-requests%2F7%2Fhead/raw/job.txt?job=build", "build 1701\n"},
		{"v1.0/raw/job.txt?job=build", "build 1501\n"},
		{"main/raw/reports/raw/data.json?job=report", `{"message":"404 Not found"}`}, // the ref is main/raw/reports
		{"main/raw/reports%2Fraw%2Fdata.json?job=report", "{}\n"},
		{"main/raw/raw?job=build", "404 page not found\n"},
		{"main/raw/dist/download?job=build", `{"message":"404 Not found"}`}, // the ref is main/raw/dist
		{"main/raw/dist%2Fdownload?job=build", "404 page not found\n"},
		{"main/raw/docs%2Fguide%20%5Ben%5D.md?job=build", "# Guide\n"},
		{"main/raw/dist/?job=build", ""},
		{"main/raw/dist?job=build", "404 page not found\n"},
		{"main/raw/dist/current?job=build", "app"},
		{"main/raw/job.txt?job=build:%20%5Blinux,%20amd64%5D", "build: [linux, amd64] 1006\n"},
		{"main/raw/job.txt?job=deploy/eu", "deploy/eu 1014\n"},
		{"main/raw/job.txt?job=c%2B%2B", "c++ 1016\n"},
		{"main/raw/job.txt?job=c++", `{"message":"404 Not found"}`},
		{"main/raw/job.txt?job=test", `{"message":"404 Not found"}`},
		{"main/raw/job.txt?job=Build", `{"message":"404 Not found"}`},
	}
	s := start(t, gitlabtest.Options{})
	for _, tt := range tests {
		if got := ask(t, s.APIURL+"/projects/1/jobs/artifacts/"+tt.path, credentials["job"]...); got.body != tt.want {
			t.Errorf("%s: %d %.100q, want %q", tt.path, got.status, got.body, tt.want)
		}
	}
}

func TestVerbs(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{RelativeRoot: "/gitlab"})
	const archive, moved = "/projects/1/jobs/1001/artifacts", "/projects/group%2Fold-lib/jobs/2001/artifacts"
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{http.MethodHead, archive, 200},
		{http.MethodHead, moved, 405},
		{http.MethodGet, moved, 301},
		{http.MethodPost, archive, 405},
		{http.MethodDelete, archive, 401}, // job tokens don't work here
		{http.MethodPut, archive, 405},
	} {
		if got := send(t, tt.method, s.APIURL+tt.path, credentials["job"]...); got.status != tt.want {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, got.status, tt.want)
		}
	}
	if got := ask(t, strings.Replace(s.APIURL, "/gitlab", "", 1)+archive, credentials["job"]...); got.status != 404 || !strings.Contains(got.body, "<html>") {
		t.Errorf("without the relative root: %d %s", got.status, got.body)
	}
}

// A project by its former path: 301 to its ID, the rest of the address unchanged.
func TestMoved(t *testing.T) {
	t.Parallel()
	world := gitlabtest.Fixture()
	world.Projects[0].OldPaths = []string{"public/tools", "group/was"}
	s := gitlabtest.Start(world, gitlabtest.Options{RelativeRoot: "/gitlab"})
	t.Cleanup(s.Close)
	for path, want := range map[string]string{
		"projects/group%2fwas/jobs/artifacts/a%2Fb/download?job=x%20y&a=b": "projects/1/jobs/artifacts/a%2Fb/download?job=x%20y&a=b",
		"projects/Group%2FWas/pipelines":                                   "projects/1/pipelines",
		"projects/group%2Fold-lib/jobs/2001/artifacts":                     "projects/2/jobs/2001/artifacts",
	} {
		got := ask(t, s.APIURL+"/"+path, credentials["job"]...)
		if got.status != 301 || got.header.Get("Location") != s.APIURL+"/"+want {
			t.Errorf("%s: %d %s", path, got.status, got.header.Get("Location"))
		}
	}
	// Another project has that path now; and a caller who can't see the project isn't
	// redirected.
	if got := ask(t, s.APIURL+"/projects/public%2Ftools/pipelines"); got.status != 200 || !strings.Contains(got.body, `"id":400`) {
		t.Errorf("a path in use: %d", got.status)
	}
	if got := ask(t, s.APIURL+"/projects/group%2Fwas/pipelines"); got.status != 404 {
		t.Errorf("nobody: %d", got.status)
	}
}

// With TLS, all addresses of the instance start with https.
func TestTLSAddresses(t *testing.T) {
	t.Parallel()
	s := gitlabtest.StartTLS(gitlabtest.Fixture(), gitlabtest.Options{Mode: gitlabtest.ModeRedirect})
	t.Cleanup(s.Close)
	get := func(path string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.APIURL+"/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("JOB-TOKEN", gitlabtest.JobToken)
		resp, err := s.Certificate().Client().Transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp
	}
	for path, header := range map[string]string{
		"projects/group%2Fold-lib/pipelines":       "Location",
		"projects/1/jobs/1001/artifacts":           "Location",
		"projects/1/pipelines/100/jobs?per_page=2": "Link",
	} {
		if got := get(path).Header.Get(header); !strings.HasPrefix(strings.TrimPrefix(got, "<"), "https://") || strings.Contains(got, "http://") {
			t.Errorf("%s: %s %q", path, header, got)
		}
	}
}
