package gitlabtest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// answer is what a test looks at.
type answer struct {
	status int
	header http.Header
	body   string
}

func ask(t *testing.T, address string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body) // a fault may break it
	return answer{resp.StatusCode, resp.Header, string(body)}
}

func start(t *testing.T, o gitlabtest.Options) *gitlabtest.Running {
	t.Helper()
	s := gitlabtest.Start(gitlabtest.Fixture(), o)
	t.Cleanup(s.Close)
	return s
}

var credentials = map[string][]string{
	"nobody":           nil,
	"job":              {"JOB-TOKEN", gitlabtest.JobToken},
	"dead job":         {"JOB-TOKEN", gitlabtest.DeadJobToken},
	"job as bearer":    {"Authorization", "Bearer " + gitlabtest.JobToken},
	"job as private":   {"PRIVATE-TOKEN", gitlabtest.JobToken},
	"private":          {"PRIVATE-TOKEN", gitlabtest.PrivateToken},
	"unknown private":  {"PRIVATE-TOKEN", "glpat-nobody"},
	"expired private":  {"PRIVATE-TOKEN", gitlabtest.ExpiredPrivateToken},
	"bearer":           {"Authorization", "Bearer " + gitlabtest.BearerToken},
	"private, bad job": {"PRIVATE-TOKEN", gitlabtest.PrivateToken, "JOB-TOKEN", "x"},
}

// Who gets what on which family of routes, by the version that lets job tokens
// in: lib/gitlab/auth/auth_finders.rb, lib/api/helpers.rb.
func TestCredentials(t *testing.T) {
	t.Parallel()
	const (
		archive   = "projects/1/jobs/1001/artifacts"
		byRef     = "projects/group%2Fapp/jobs/artifacts/main/download?job=build"
		jobs      = "projects/1/jobs"
		oneJob    = "projects/1/jobs/1001"
		inside    = "projects/1/pipelines/100/jobs"
		bridges   = "projects/1/pipelines/100/bridges"
		pipelines = "projects/1/pipelines"
		secret    = "projects/3/jobs/3001/artifacts"
		public    = "projects/4/jobs/4001/artifacts"
		me        = "job"
		runner    = "jobs/1001/artifacts"
	)
	tests := []struct {
		version, path, who string
		want               int
		text               string
	}{
		{"19.2", archive, "job", 200, ""},
		{"19.2", archive, "private", 200, ""},
		{"19.2", archive, "bearer", 200, ""},
		{"19.2", archive, "private, bad job", 200, ""},
		{"19.2", archive, "job as bearer", 200, ""},
		{"19.2", archive, "job as private", 404, "404 Project Not Found"},
		{"19.2", archive, "nobody", 404, "404 Project Not Found"},
		{"19.2", archive, "dead job", 401, "401 Unauthorized"},
		{"19.2", archive, "unknown private", 401, "401 Unauthorized"},
		{"19.2", archive, "expired private", 401, "invalid_token"},
		{"19.2", byRef, "job", 200, ""},
		{"17.0", byRef, "job", 200, ""},
		{"19.2", secret, "job", 403, "403 Forbidden - Authentication by CI/CD job token not allowed from app to secret."},
		{"19.2", secret, "private", 404, "404 Project Not Found"},
		{"19.2", public, "nobody", 200, ""},
		{"19.2", public, "job", 200, ""},
		{"17.0", jobs, "job", 401, "401 Unauthorized"},
		{"18.5", jobs, "job", 200, ""},
		{"19.2", jobs, "nobody", 401, "401 Unauthorized"},
		{"19.2", oneJob, "job", 401, "401 Unauthorized"},
		{"19.2", oneJob, "private", 200, ""},
		{"17.0", inside, "job", 404, "404 Project Not Found"},
		{"18.5", inside, "job", 200, ""},
		{"18.5", bridges, "job", 404, "404 Project Not Found"},
		{"19.2", bridges, "job", 200, ""},
		{"18.5", pipelines, "job", 404, "404 Project Not Found"},
		{"19.2", pipelines, "job", 200, ""},
		{"19.2", me, "job", 200, `"name":"build"`},
		{"19.2", me, "nobody", 401, ""},
		{"19.2", me, "private", 404, "404 Job Not Found"},
		{"19.2", runner, "job", 200, ""},
		{"19.2", runner, "private", 403, "403 Forbidden"},
		{"19.2", "jobs/999/artifacts", "job", 403, "403 Forbidden"},
		{"19.2", "projects/1/jobs/999/artifacts", "job", 404, `{"message":"404 Not found"}`},
		{"19.2", "projects/1/jobs/1009/artifacts", "job", 404, `{"message":"404 Not Found"}`},
		{"19.2", "projects/1/jobs/1090/artifacts", "job", 404, `{"message":"404 Not found"}`},
		{"19.2", "projects/1/nothing", "job", 404, `{"error":"404 Not Found"}`},
		{"19.2", "projects/1/jobs/artifacts/main/download", "nobody", 400, `{"error":"job is missing"}`},
		{"19.2", "projects/1/jobs?scope[]=wrong", "private", 400, "scope does not have a valid value"},
		{"19.2", "projects/group%2Fold-lib/jobs/2001/artifacts", "private", 301, ""},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %s %s", tt.version, tt.path, tt.who), func(t *testing.T) {
			t.Parallel()
			s := start(t, gitlabtest.Options{Version: tt.version})
			got := ask(t, s.APIURL+"/"+tt.path, credentials[tt.who]...)
			if got.status != tt.want || !strings.Contains(got.body, tt.text) {
				t.Errorf("%d %.200s, want %d with %q", got.status, got.body, tt.want, tt.text)
			}
			if got.header.Get("X-Request-Id") == "" {
				t.Error("no X-Request-Id")
			}
		})
	}
}

// By ref: the newest successful pipeline alone, parents before children; and the
// recent search, which is another one and not a superset.
func TestByRef(t *testing.T) {
	t.Parallel()
	tests := []struct {
		version, job, ref string
		recent            bool
		want              string // the content of job.txt names the job, or the status
	}{
		{"19.2", "child-only", "main", false, "child-only 1102"},
		{"19.2", "grandchild-only", "main", false, "grandchild-only 1201"},
		{"19.2", "twin", "main", false, "twin 1013"},
		{"19.2", "flaky", "main", false, "flaky 1008"},
		{"19.2", "old-only", "main", false, "404 Not found"},
		{"19.2", "main-only-newer", "main", false, "404 Not found"},
		{"19.2", "build", "refs/heads/main", false, "404 Not found"},
		{"19.2", "lint", "main", false, "404 Not Found"},
		{"17.0", "lint", "main", false, "500 Internal Server Error"},
		{"19.2", "old-only", "main", true, "old-only 902"},
		{"19.2", "build", "main", true, "build 1101"}, // a child in its own right
		{"19.2", "flaky", "main", true, "404 Job Not Found"},
		{"18.9", "old-only", "main", true, "404 Not found"}, // the parameter is ignored
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %s %s %v", tt.version, tt.job, tt.ref, tt.recent), func(t *testing.T) {
			t.Parallel()
			s := start(t, gitlabtest.Options{Version: tt.version})
			query := url.Values{"job": {tt.job}, "search_recent_successful_pipelines": {strconv.FormatBool(tt.recent)}}
			address := s.APIURL + "/projects/1/jobs/artifacts/" + url.PathEscape(tt.ref) + "/"
			got := ask(t, address+"raw/job.txt?"+query.Encode(), credentials["job"]...)
			if tt.want[0] <= '9' { // what is refused is refused the archive
				got = ask(t, address+"download?"+query.Encode(), credentials["job"]...)
			}
			if !strings.Contains(got.body, tt.want) {
				t.Errorf("%d %.100q, want %q", got.status, got.body, tt.want)
			}
		})
	}
}

func TestServing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		mode   gitlabtest.Mode
		header []string
		want   int
		tell   func(a answer) string
		text   string
	}{
		{gitlabtest.ModeDisk, []string{"Range", "bytes=0-3"}, 206, func(a answer) string { return a.body }, "PK\x03\x04"},
		{gitlabtest.ModeDisk, []string{"Range", "bytes=-22"}, 206, func(a answer) string { return a.body[:4] }, "PK\x05\x06"},
		{gitlabtest.ModeDisk, []string{"Range", "bytes=999999-"}, 416, func(a answer) string { return a.header.Get("Content-Range")[:8] }, "bytes */"},
		{gitlabtest.ModeDisk, []string{"Range", "bytes=0-3", "If-Range", `"other"`}, 200, func(a answer) string { return a.body[:4] }, "PK\x03\x04"},
		{gitlabtest.ModeProxy, []string{"Range", "bytes=0-3"}, 206, func(a answer) string { return a.body }, "PK\x03\x04"},
		{gitlabtest.ModeNoRanges, []string{"Range", "bytes=0-3"}, 200, func(a answer) string { return a.header.Get("Accept-Ranges") }, ""},
		{gitlabtest.ModeNoLength, nil, 200, func(a answer) string { return a.header.Get("Content-Length") }, ""},
		{gitlabtest.ModeRedirect, nil, 302, func(a answer) string { return a.header.Get("Content-Type") }, "text/plain"},
	}
	for _, tt := range tests {
		s := start(t, gitlabtest.Options{Mode: tt.mode})
		got := ask(t, s.APIURL+"/projects/1/jobs/1001/artifacts", append(tt.header, credentials["job"]...)...)
		if got.status != tt.want || tt.tell(got) != tt.text {
			t.Errorf("%s %v: %d %q, want %d %q", tt.mode, tt.header, got.status, tt.tell(got), tt.want, tt.text)
		}
	}
}

// A pre-signed URL is good for one method, for a while, and for nobody who shows
// another credential.
func TestPresigned(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := start(t, gitlabtest.Options{Mode: gitlabtest.ModeRedirect, Now: func() time.Time { return now }})
	location := ask(t, s.APIURL+"/projects/1/jobs/1001/artifacts", credentials["job"]...).header.Get("Location")
	if got := ask(t, location); got.status != http.StatusOK {
		t.Errorf("GET: %d", got.status)
	}
	if got := ask(t, location, credentials["job"]...); got.status != http.StatusBadRequest || !strings.Contains(got.body, "InvalidArgument") {
		t.Errorf("with a token: %d %s", got.status, got.body)
	}
	if got := ask(t, strings.Replace(location, "1001", "1002", 1)); got.status != http.StatusForbidden || !strings.Contains(got.body, "SignatureDoesNotMatch") {
		t.Errorf("for another object: %d %s", got.status, got.body)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, location, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("HEAD: %d", resp.StatusCode)
	}
	now = now.Add(11 * time.Minute)
	if got := ask(t, location); got.status != http.StatusForbidden || !strings.Contains(got.body, "Request has expired") {
		t.Errorf("later: %d %s", got.status, got.body)
	}
	leaks := 0
	for _, r := range s.Requests() {
		if r.LeakedToken {
			leaks++
		}
	}
	if leaks != 1 {
		t.Errorf("%d requests are marked, want the one with a token", leaks)
	}
}

func TestPaging(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{LinkHost: "internal.invalid"})
	var seen []string
	for page := 1; ; page++ {
		got := ask(t, fmt.Sprintf("%s/projects/1/pipelines/100/jobs?per_page=7&page=%d", s.APIURL, page), credentials["job"]...)
		var rows []struct{ ID int64 }
		if err := json.Unmarshal([]byte(got.body), &rows); err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			seen = append(seen, strconv.FormatInt(r.ID, 10))
		}
		if got.header.Get("X-Total") != "18" {
			t.Errorf("X-Total = %s", got.header.Get("X-Total"))
		}
		next := got.header.Get("X-Next-Page")
		if next == "" {
			break
		}
		if !strings.HasPrefix(got.header.Get("Link"), "<http://internal.invalid/api/v4/") {
			t.Errorf("Link = %s", got.header.Get("Link"))
		}
	}
	if len(seen) != 18 || seen[0] != "1019" || seen[17] != "1001" {
		t.Errorf("rows: %v", seen)
	}
	keyset := ask(t, s.APIURL+"/projects/1/jobs?per_page=5&pagination=keyset&order_by=id&sort=desc", credentials["private"]...)
	if keyset.header.Get("X-Next-Page") != "" || !strings.Contains(keyset.header.Get("Link"), `cursor=6`) {
		t.Errorf("keyset: %v", keyset.header)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind   string
		status int
		header string
		value  string
		body   string
	}{
		{"429-rack", 429, "Retry-After", "1", "Retry later"},
		{"429-app", 429, "Retry-After", "", `{"message":{"error":"This endpoint`},
		{"429-workhorse", 429, "Retry-After", "1s", ""},
		{"500", 500, "Content-Type", "application/json", "500 Internal Server Error"},
		{"502", 502, "Content-Type", "text/plain; charset=utf-8", "GitLab is not responding"},
		{"503", 503, "Content-Type", "text/html", "nginx"},
		{"504", 504, "Content-Type", "text/html", "nginx"},
		{"bad-range", 206, "Content-Range", "bytes 7-9/10", ""},
		{"login-page", 200, "Content-Type", "text/html; charset=utf-8", "Sign in"},
		{"expired-url", 403, "Content-Type", "application/xml", "Request has expired"},
	}
	for _, tt := range tests {
		s := start(t, gitlabtest.Options{Faults: []gitlabtest.Fault{{Kind: tt.kind, On: "artifacts", Skip: 1, Times: 1}}})
		address := s.APIURL + "/projects/1/jobs/1001/artifacts"
		if got := ask(t, address, credentials["job"]...); got.status != http.StatusOK {
			t.Errorf("%s came too early: %d", tt.kind, got.status)
		}
		got := ask(t, address, credentials["job"]...)
		if got.status != tt.status || got.header.Get(tt.header) != tt.value || !strings.Contains(got.body, tt.body) {
			t.Errorf("%s: %d %s=%q %.80s", tt.kind, got.status, tt.header, got.header.Get(tt.header), got.body)
		}
		if got := ask(t, address, credentials["job"]...); got.status != http.StatusOK {
			t.Errorf("%s came too often: %d", tt.kind, got.status)
		}
	}
}

func TestBrokenBodies(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"reset-body", "short-body"} {
		s := start(t, gitlabtest.Options{Faults: []gitlabtest.Fault{{Kind: kind, After: 100}}})
		got := ask(t, s.APIURL+"/projects/1/jobs/1001/artifacts", credentials["job"]...)
		if len(got.body) > 100 || got.header.Get("Content-Length") == strconv.Itoa(len(got.body)) {
			t.Errorf("%s: %d bytes of %s", kind, len(got.body), got.header.Get("Content-Length"))
		}
		if sent := s.Requests()[0].BytesSent; sent != 100 {
			t.Errorf("%s: %d bytes were sent", kind, sent)
		}
	}
}
