package gitlab_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gitlab.com/artifetch/artifetch/gitlab"
)

func client(t *testing.T, h http.HandlerFunc) *gitlab.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	api, err := url.Parse(server.URL + "/gitlab/api/v4")
	if err != nil {
		t.Fatal(err)
	}
	return gitlab.New(api, server.Client(), server.Client())
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	api, err := url.Parse("https://example.com/gitlab/api/v4")
	if err != nil {
		t.Fatal(err)
	}
	c := gitlab.New(api, nil, nil)
	const root = "https://example.com/gitlab/api/v4/"
	tests := []struct{ name, got, want string }{
		{"archive", c.ArchiveURL("7", 5_000_000_000), "projects/7/jobs/5000000000/artifacts"},
		{"project path", c.ArchiveURL("group/sub/lib.js", 1), "projects/group%2Fsub%2Flib.js/jobs/1/artifacts"},
		{"ref with a slash and dots", c.RefArchiveURL("7", "release/2.x", "build"), "projects/7/jobs/artifacts/release%2F2.x/download?job=build"},
		{"ref with a hash", c.RefArchiveURL("7", "feature/x#1", "build"), "projects/7/jobs/artifacts/feature%2Fx%231/download?job=build"},
		{"matrix", c.RefArchiveURL("7", "main", "build: [linux, amd64]"), "projects/7/jobs/artifacts/main/download?job=build%3A+%5Blinux%2C+amd64%5D"},
		{"plus", c.RefArchiveURL("7", "a+b", "c++"), "projects/7/jobs/artifacts/a%2Bb/download?job=c%2B%2B"},
		{"percent", c.RefArchiveURL("7", "100%", "100%"), "projects/7/jobs/artifacts/100%25/download?job=100%25"},
		{"letters beyond ASCII", c.RefArchiveURL("7", "測", "測試"), "projects/7/jobs/artifacts/%E6%B8%AC/download?job=%E6%B8%AC%E8%A9%A6"},
		{"question mark", c.RefArchiveURL("7", "what?", "a&b=c"), "projects/7/jobs/artifacts/what%3F/download?job=a%26b%3Dc"},
		{"file", c.FileURL("7", 1, "dist/a b[1].txt"), "projects/7/jobs/1/artifacts/dist/a%20b%5B1%5D.txt"},
		{"file by ref, with raw in it", c.RefFileURL("7", "a/raw/b", "build", "x/raw/y"), "projects/7/jobs/artifacts/a%2Fraw%2Fb/raw/x%2Fraw%2Fy?job=build"},
		{"report", c.ReportURL("group/app", 7, "junit"), "projects/group%2Fapp/jobs/7/artifacts?file_type=junit"},
		{"runner's", c.RunnerArchiveURL(1), "jobs/1/artifacts?direct_download=true"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.got != root+tt.want {
				t.Errorf("got  %s\nwant %s", tt.got, root+tt.want)
			}
		})
	}
}

func TestCheckResponse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, contentType, body string
		status                  int
		want                    string
		storage                 bool
	}{
		{"message", "application/json", `{"message":"404 Project Not Found"}`, 404, "404 Project Not Found", false},
		{"message is an object", "application/json", `{"message":{"error":"This endpoint has been requested too many times."}}`, 429, "This endpoint has been requested too many times.", false},
		{"validation of a record", "application/json", `{"message":{"name":["is too long","is bad"],"a":["b"]}}`, 400, "a b; name is too long, is bad", false},
		{"error", "application/json", `{"error":"job is missing"}`, 400, "job is missing", false},
		{"OAuth", "application/json", `{"error":"invalid_token","error_description":"Token is expired."}`, 401, "invalid_token: Token is expired.", false},
		{"text", "text/plain", "GitLab is not responding\n", 502, "GitLab is not responding", false},
		{"HTML", "text/html", "<html><head><title>503 &amp; more</title></head></html>", 503, "HTML page: 503 & more", false},
		{"HTML in disguise", "application/json", "<!DOCTYPE html>", 500, "HTML page", false},
		{"S3", "application/xml", `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>`, 403, "AccessDenied: Request has expired", true},
		{"S3 without a declaration", "text/html", "<Error>\n<Code>AccessDenied</Code><Message>Expired</Message></Error>", 403, "AccessDenied: Expired", true},
		{"empty", "", "", 500, "", false},
		{"broken JSON", "application/json", `{"message":`, 500, "", false},
		{"binary", "application/octet-stream", "\x00\x01", 500, "", false},
		{"a signed URL in the text", "text/plain", "see https://s3/x?X-Amz-Signature=abc", 500, "see https://s3/x?X-Amz-Signature=REDACTED", false},
		{"very long", "text/plain", strings.Repeat("ä", 1000), 500, strings.Repeat("ä", 300) + "…", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp := &http.Response{
				StatusCode: tt.status, Body: io.NopCloser(strings.NewReader(tt.body)),
				Header:  http.Header{"Content-Type": {tt.contentType}, "X-Request-Id": {"01ABC"}},
				Request: httptest.NewRequest(http.MethodGet, "https://h/x?job_token=secret", nil),
			}
			got, ok := errors.AsType[*gitlab.Error](gitlab.CheckResponse(resp))
			if !ok {
				t.Fatal("no *Error")
			}
			want := &gitlab.Error{
				Method: "GET", URL: "https://h/x?job_token=REDACTED", StatusCode: tt.status,
				Message: tt.want, RequestID: "01ABC", FromStorage: tt.storage,
			}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(gitlab.Error{})); diff != "" {
				t.Error(diff)
			}
		})
	}
	if err := gitlab.CheckResponse(&http.Response{StatusCode: http.StatusPartialContent}); err != nil {
		t.Errorf("206: %v", err)
	}
}

func TestAnswerThatCantBeUsed(t *testing.T) {
	t.Parallel()
	job := `{"id":1,"name":"a"}`
	for body, want := range map[string]string{
		"<html><title>Sign in</title></html>": "the answer isn't JSON: HTML page: Sign in",
		"":                                    "the answer isn't JSON",
		"[" + job:                             "the answer isn't JSON",
		`{"message": "x"}`:                    "the answer is JSON, but not what GitLab sends: unexpected object",
		"5":                                   "the answer is JSON, but not what GitLab sends: unexpected number",
		`[{"id":"1"}]`:                        "the answer is JSON, but not what GitLab sends: unexpected string in id",
		`[{"id":1,"created_at":"yesterday"}]`: "the answer is JSON, but not what GitLab sends: created_at isn't a time",
		`[{"id":1,"started_at":null,"pipeline":{"id":1},"finished_at":5}]`: "the answer is JSON, but not what GitLab sends: finished_at isn't a time",
		"[" + strings.Repeat(job+",", 1<<20):                               "the answer is larger than 16 MiB",
		"[" + job + "," + strings.Repeat(" ", 16<<20) + job + "]":          "the answer is larger than 16 MiB",
	} {
		c := client(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		for _, err := range c.PipelineJobs(t.Context(), "7", 1, gitlab.JobsOptions{}) {
			if found, ok := errors.AsType[*gitlab.Error](err); !ok || !strings.HasPrefix(found.Message, want) || strings.HasSuffix(found.Message, " ") {
				t.Errorf("%.40q: error = %.200v", body, err)
			}
		}
	}
}

// An answer of another host than the one that was asked is the storage's, even
// if it does not look like it.
func TestStorageBehindARedirect(t *testing.T) {
	t.Parallel()
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer storage.Close()
	c := client(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, storage.URL, http.StatusFound) })
	for _, err := range c.Pipelines(t.Context(), "7", gitlab.PipelinesOptions{}) {
		if found, ok := errors.AsType[*gitlab.Error](err); !ok || !found.FromStorage {
			t.Errorf("error = %v, want the storage's", err)
		}
	}
}

// Storage that repeats the signature of its address, wherever in its answer, doesn't
// bring it into a message.
func TestStorageRepeatsItsAddress(t *testing.T) {
	t.Parallel()
	const secret = "SECRETSIG123+/"
	for _, body := range []string{
		"<Error><Code>AccessDenied</Code><Message>" + secret + "</Message></Error>", "<html><title>" + secret + "</title>", secret,
		`{"message":"` + secret + `"}`, strings.Repeat("x", 295) + secret, url.QueryEscape(secret),
	} {
		storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Request-Id", secret)
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, body)
		}))
		c := client(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, storage.URL+"/?X-Sig="+url.QueryEscape(secret), http.StatusFound)
		})
		for _, err := range c.Pipelines(t.Context(), "7", gitlab.PipelinesOptions{}) {
			found, ok := errors.AsType[*gitlab.Error](err)
			if !ok || strings.Contains(err.Error()+found.RequestID, "SECRE") || !strings.Contains(err.Error(), "[REDA") || found.RequestID != "[REDACTED]" {
				t.Errorf("%s: %v, %+v", body, err, found)
			}
		}
		storage.Close()
	}
}

func TestErrorIsItsStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]error{401: gitlab.ErrUnauthorized, 403: gitlab.ErrForbidden, 404: gitlab.ErrNotFound} {
		if err := error(&gitlab.Error{StatusCode: status}); !errors.Is(err, want) || errors.Is(err, context.Canceled) {
			t.Errorf("status %d is not %v", status, want)
		}
	}
}

// pages serves ids from 1 up to n, newest first, shifted by one row after the
// first page, as when a pipeline starts meanwhile.
func pages(n int, header func(w http.ResponseWriter, page int)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		page := 1
		_, _ = fmt.Sscan(r.URL.Query().Get("page"), &page)
		var rows []string
		for i := range 100 {
			id := n - (page-1)*100 - i
			if page > 1 {
				id++
			}
			if id > 0 {
				rows = append(rows, fmt.Sprintf(`{"id":%d,"name":null,"unknown":{}}`, id))
			}
		}
		header(w, page)
		_, _ = fmt.Fprintf(w, "[%s]", strings.Join(rows, ","))
	}
}

func ids(t *testing.T, c *gitlab.Client, most int) []int64 {
	t.Helper()
	var got []int64
	for job, err := range c.PipelineJobs(t.Context(), "7", 1, gitlab.JobsOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, job.ID); len(got) == most {
			break
		}
	}
	return got
}

func TestPages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		header func(w http.ResponseWriter, page int)
	}{
		{"X-Next-Page", func(w http.ResponseWriter, page int) {
			w.Header().Set("X-Next-Page", map[bool]string{true: fmt.Sprint(page + 1), false: ""}[page < 3])
		}},
		{"a Link to another host", func(w http.ResponseWriter, page int) {
			if page < 3 {
				w.Header().Set("Link", fmt.Sprintf(`<http://internal.invalid/api?page=%d&job_token=x>; rel="next", <http://internal.invalid/?page=1>; rel="first"`, page+1))
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			c := client(t, func(w http.ResponseWriter, r *http.Request) {
				asked++
				if r.URL.Query().Has("job_token") {
					t.Error("a token from a Link was taken over")
				}
				pages(230, tt.header)(w, r)
			})
			got := ids(t, c, 1000)
			if len(got) != 230 || len(slices.Compact(slices.Clone(got))) != 230 {
				t.Errorf("%d rows, want 230, each once", len(got))
			}
			if asked != 3 {
				t.Errorf("%d requests, want 3", asked)
			}
			if asked = 0; len(ids(t, c, 100)) != 100 || asked != 1 {
				t.Errorf("100 rows cost %d requests, want 1", asked)
			}
		})
	}
}

func drain[T any](t *testing.T, list iter.Seq2[T, error]) {
	t.Helper()
	for _, err := range list {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		call func(c *gitlab.Client)
		want string
	}{
		{"jobs of a project", func(c *gitlab.Client) {
			drain(t, c.ProjectJobs(t.Context(), "g/p", gitlab.JobsOptions{Scope: []string{"success", "failed"}}))
		}, "/gitlab/api/v4/projects/g%2Fp/jobs?order_by=id&pagination=keyset&per_page=100&scope%5B%5D=success&scope%5B%5D=failed&sort=desc"},
		{"jobs of a pipeline", func(c *gitlab.Client) {
			drain(t, c.PipelineJobs(t.Context(), "7", 3, gitlab.JobsOptions{IncludeRetried: true}))
		}, "/gitlab/api/v4/projects/7/pipelines/3/jobs?include_retried=true&per_page=100"},
		{"pipelines", func(c *gitlab.Client) {
			drain(t, c.Pipelines(t.Context(), "7", gitlab.PipelinesOptions{Ref: "a/b", Status: "success", SHA: "f", Source: "push"}))
		}, "/gitlab/api/v4/projects/7/pipelines?order_by=id&per_page=100&ref=a%2Fb&sha=f&sort=desc&source=push&status=success"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got string
			c := client(t, func(w http.ResponseWriter, r *http.Request) {
				got = r.URL.RequestURI()
				_, _ = io.WriteString(w, "[]")
			})
			tt.call(c)
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestListError(t *testing.T) {
	t.Parallel()
	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"message":"403 Forbidden"}`)
	})
	calls := 0
	for _, err := range c.Pipelines(t.Context(), "7", gitlab.PipelinesOptions{}) {
		calls++
		if !errors.Is(err, gitlab.ErrForbidden) {
			t.Errorf("error = %v", err)
		}
	}
	if calls != 1 {
		t.Errorf("%d rows, want the error alone", calls)
	}
}

func TestPagesThatDoNotAdvance(t *testing.T) {
	t.Parallel()
	requests := 0
	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		if requests++; requests < 10 {
			w.Header().Set("X-Next-Page", "2")
		}
		_, _ = io.WriteString(w, `[{"id":1}]`)
	})
	var last error
	for _, last = range c.Pipelines(t.Context(), "7", gitlab.PipelinesOptions{}) {
	}
	if refusal, ok := errors.AsType[*gitlab.Error](last); !ok || !strings.Contains(refusal.Message, "its next page is invalid") || requests != 2 {
		t.Errorf("%d requests, want 2, and an error: %v", requests, last)
	}
}

// The newer endpoint is tried first, and not again if the server doesn't have it. If the
// pipeline doesn't exist, the other endpoint isn't tried.
func TestBridges(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, missing string
		want          []string
		fails         bool
	}{
		{"new", "", []string{"trigger_jobs", "trigger_jobs"}, false},
		{"old", `{"error":"404 Not Found"}`, []string{"trigger_jobs", "bridges", "bridges"}, false},
		{"no such pipeline", `{"message":"404 Not found"}`, []string{"trigger_jobs", "trigger_jobs"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var asked []string
			c := client(t, func(w http.ResponseWriter, r *http.Request) {
				route := path.Base(r.URL.Path)
				asked = append(asked, route)
				if route == "trigger_jobs" && tt.missing != "" {
					w.WriteHeader(http.StatusNotFound)
					_, _ = io.WriteString(w, tt.missing)
					return
				}
				_, _ = io.WriteString(w, `[{"id":5,"name":"child","downstream_pipeline":{"id":6,"project_id":7}},{"id":4,"downstream_pipeline":null}]`)
			})
			for range 2 {
				var got []int64
				for b, err := range c.Bridges(t.Context(), "7", 1, true) {
					if (err != nil) != tt.fails {
						t.Fatal(err)
					}
					got = append(got, b.ID)
				}
				if want := []int64{5, 4}; !tt.fails && !slices.Equal(got, want) {
					t.Errorf("bridges %v", got)
				}
			}
			if !slices.Equal(asked, tt.want) {
				t.Errorf("asked %v, want %v", asked, tt.want)
			}
		})
	}
}

func TestTree(t *testing.T) {
	t.Parallel()
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		if got, want := r.URL.RequestURI(), "/gitlab/api/v4/projects/g%2Fp/jobs/1/artifacts/tree?path=a%2Fb&per_page=100&recursive=true"; got != want {
			t.Errorf("asked %s, want %s", got, want)
		}
		_, _ = io.WriteString(w, `[{"name":"c","path":"a/b/c/","type":"directory","mode":null},{"name":"d","path":"a/b/d","type":"file","size":5,"mode":"000755"}]`)
	})
	var got []string
	for e, err := range c.Tree(t.Context(), "g/p", 1, "a/b", true) {
		if err != nil {
			t.Fatal(err)
		}
		perm, known := e.Perm()
		got = append(got, fmt.Sprintf("%s %v %o %v %d", e.Path, e.IsDir(), perm, known, e.Size))
	}
	if want := []string{"a/b/c/ true 0 false 0", "a/b/d false 755 true 5"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// Servers that have no keyset pages of jobs are asked for others.
func TestJobsWithoutKeyset(t *testing.T) {
	t.Parallel()
	var asked []string
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("pagination"))
		if r.URL.Query().Get("pagination") == "keyset" {
			w.WriteHeader(http.StatusMethodNotAllowed)
			_, _ = io.WriteString(w, `{"error":"Keyset pagination is not yet available for this type of request"}`)
			return
		}
		_, _ = io.WriteString(w, `[{"id":2},{"id":1}]`)
	})
	var got []int64
	for job, err := range c.ProjectJobs(t.Context(), "7", gitlab.JobsOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, job.ID)
	}
	if !slices.Equal(got, []int64{2, 1}) || !slices.Equal(asked, []string{"keyset", ""}) {
		t.Errorf("jobs %v, asked %q", got, asked)
	}
}
