package gitlab_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// Every request as the documentation of the API has it: method, path, query, body.
// https://docs.gitlab.com/api/jobs/, https://docs.gitlab.com/api/job_artifacts/
func TestRequests(t *testing.T) {
	t.Parallel()
	const big = 5_000_000_000
	project := gitlab.Project("group/sub/app.js")
	drop := func(_ gitlab.Job, err error) error { return err }
	tests := []struct {
		name, method, path, query, body string
		status                          int
		answer                          string
		do                              func(context.Context, *gitlab.Client) error
	}{
		{"keep", "POST", "/jobs/5000000000/artifacts/keep", "", "", 200, `{"id":5000000000}`, func(ctx context.Context, c *gitlab.Client) error {
			return drop(c.KeepArtifacts(ctx, project, big))
		}},
		{"delete", "DELETE", "/jobs/5000000000/artifacts", "", "", 204, "", func(ctx context.Context, c *gitlab.Client) error {
			return c.DeleteArtifacts(ctx, project, big)
		}},
		{"delete all", "DELETE", "/artifacts", "", "", 202, `{"message":"202 Accepted"}`, func(ctx context.Context, c *gitlab.Client) error {
			return c.DeleteProjectArtifacts(ctx, project)
		}},
		{"cancel", "POST", "/jobs/5000000000/cancel", "", "", 201, `{"id":5000000000}`, func(ctx context.Context, c *gitlab.Client) error {
			return drop(c.CancelJob(ctx, project, big, false))
		}},
		{"cancel by force", "POST", "/jobs/5000000000/cancel", "", `{"force":true}`, 201, `{"id":5000000000}`, func(ctx context.Context, c *gitlab.Client) error {
			return drop(c.CancelJob(ctx, project, big, true))
		}},
		{"retry", "POST", "/jobs/5000000000/retry", "", "", 201, `{"id":5000000000}`, func(ctx context.Context, c *gitlab.Client) error {
			return drop(c.RetryJob(ctx, project, big, nil))
		}},
		{"erase", "POST", "/jobs/5000000000/erase", "", "", 201, `{"id":5000000000}`, func(ctx context.Context, c *gitlab.Client) error {
			return drop(c.EraseJob(ctx, project, big))
		}},
		{"play", "POST", "/jobs/5000000000/play", "", "", 200, `{"id":5000000000}`, func(ctx context.Context, c *gitlab.Client) error {
			return drop(c.PlayJob(ctx, project, big, nil, nil))
		}},
		{"play with variables", "POST", "/jobs/5000000000/play", "", `{"job_variables_attributes":[{"key":"A","value":"1, 2"},{"key":"B","value":""}]}`, 200, `{"id":5000000000}`, func(ctx context.Context, c *gitlab.Client) error {
			return drop(c.PlayJob(ctx, project, big, []gitlab.Variable{{Key: "A", Value: "1, 2"}, {Key: "B"}}, nil))
		}},
		{"job", "GET", "/jobs/5000000000", "", "", 200, `{"id":5000000000}`, func(ctx context.Context, c *gitlab.Client) error {
			return drop(c.Job(ctx, project, big))
		}},
		{"trace", "GET", "/jobs/5000000000/trace", "", "", 200, "the log", func(ctx context.Context, c *gitlab.Client) error {
			body, err := c.Trace(ctx, project, big)
			if err != nil {
				return err
			}
			text, err := io.ReadAll(body)
			if string(text) != "the log" {
				t.Errorf("trace: %q", text)
			}
			return errors.Join(err, body.Close())
		}},
		{"jobs of the project", "GET", "/jobs", "order_by=id&pagination=keyset&per_page=7&scope%5B%5D=failed&scope%5B%5D=manual&sort=desc", "", 200, "[]", func(ctx context.Context, c *gitlab.Client) error {
			_, err := collect(c.ProjectJobs(ctx, project, gitlab.JobsOptions{Scope: []string{"failed", "manual"}, PerPage: 7, IncludeRetried: true}))
			return err
		}},
		{"jobs of a pipeline", "GET", "/pipelines/5000000000/jobs", "include_retried=true&per_page=100&scope%5B%5D=success", "", 200, "[]", func(ctx context.Context, c *gitlab.Client) error {
			_, err := collect(c.PipelineJobs(ctx, project, big, gitlab.JobsOptions{Scope: []string{"success"}, IncludeRetried: true, PerPage: 200}))
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got *http.Request
			var body []byte
			c := client(t, func(w http.ResponseWriter, r *http.Request) {
				got = r.Clone(context.Background())
				body, _ = io.ReadAll(r.Body)
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.answer)
			})
			if err := tt.do(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			want := []string{tt.method, "/gitlab/api/v4/projects/group%2Fsub%2Fapp.js" + tt.path, tt.query, tt.body}
			if diff := cmp.Diff(want, []string{got.Method, got.URL.EscapedPath(), got.URL.RawQuery, string(body)}); diff != "" {
				t.Error(diff)
			}
			if kind := got.Header.Get("Content-Type"); (tt.body != "") != (kind == "application/json") {
				t.Errorf("Content-Type %q", kind)
			}
		})
	}
}

// The example responses of https://docs.gitlab.com/api/jobs/, as they stand there:
// with nulls, with fields that are missing, with unknown fields.
func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	one := func(j gitlab.Job, err error) ([]gitlab.Job, error) { return []gitlab.Job{j}, err }
	tests := []struct {
		file string
		do   func(context.Context, *gitlab.Client) ([]gitlab.Job, error)
		want []string
	}{
		{"jobs", func(ctx context.Context, c *gitlab.Client) ([]gitlab.Job, error) {
			return collect(c.ProjectJobs(ctx, "1", gitlab.JobsOptions{}))
		}, []string{
			"7 teaspoon test failed(script_failure) of main in 6 by root: 0.173 s after 0.01 s, ended 2015-12-24T17:54:27Z, archive of 1000 in 4 files until 2016-01-23T17:54:27Z, tags [docker runner ubuntu18]",
			"6 rspec:other test failed(stuck_or_timeout_failure) of main in 6 by root: 0.192 s after 0.023 s, ended 2015-12-24T17:54:24Z, 0 files until 2016-01-23T17:54:24Z, tags [docker runner win10-2004]",
		}},
		{"job", func(ctx context.Context, c *gitlab.Client) ([]gitlab.Job, error) { return one(c.Job(ctx, "1", 8)) }, []string{
			"8 rubocop test failed() of main in 6 by root: 0.465 s after 0.01 s, ended 2015-12-24T17:54:31Z, 0 files until 2016-01-23T17:54:31Z, tags [docker runner macos-10.15]",
		}},
		{"current_job", func(ctx context.Context, c *gitlab.Client) ([]gitlab.Job, error) { return one(c.CurrentJob(ctx)) }, []string{
			"8 rubocop test failed(script_failure) of main in 6 by root: 0.465 s after 0.123 s, ended 2015-12-24T17:54:31Z, 0 files until 2016-01-23T17:54:31Z, tags []",
		}},
		{"canceled", func(ctx context.Context, c *gitlab.Client) ([]gitlab.Job, error) {
			return one(c.CancelJob(ctx, "1", 1, false))
		}, []string{"1 rubocop test canceled() of main in 0: 8 s after 0.01 s, 0 files, tags []"}},
		{"retried", func(ctx context.Context, c *gitlab.Client) ([]gitlab.Job, error) {
			return one(c.RetryJob(ctx, "1", 1, nil))
		}, []string{
			"1 rubocop test pending() of main in 0: null s after 0.01 s, 0 files, tags []",
		}},
		{"played", func(ctx context.Context, c *gitlab.Client) ([]gitlab.Job, error) {
			return one(c.PlayJob(ctx, "1", 1, nil, nil))
		}, []string{"1 rubocop test pending() of main in 0: null s after 0.01 s, 0 files, tags []"}},
		{"erased", func(ctx context.Context, c *gitlab.Client) ([]gitlab.Job, error) { return one(c.EraseJob(ctx, "1", 1)) }, []string{
			"1 rubocop test failed() of main in 0: 97 s after 0.01 s, ended 2016-01-11T10:15:10Z, 0 files, tags []",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			jobs, err := tt.do(t.Context(), example(t, tt.file))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, j := range jobs {
				got = append(got, describe(j))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	bridges, err := collect(example(t, "bridges").Bridges(t.Context(), "1", 6, false))
	if err != nil || len(bridges) != 1 || bridges[0].Name != "teaspoon" || bridges[0].DownstreamPipeline.ID != 5 {
		t.Errorf("bridges: %+v, %v", bridges, err)
	}
}

// example is a client of a server that knows one answer.
func example(t *testing.T, file string) *gitlab.Client {
	t.Helper()
	answer, err := os.ReadFile(filepath.Join("testdata", file+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return client(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) })
}

func describe(j gitlab.Job) string {
	var b strings.Builder
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format, args...) }
	say("%d %s %s %s(%s) of %s in %d", j.ID, j.Name, j.Stage, j.Status, j.FailureReason, j.Ref, j.Pipeline.ID)
	if j.User != nil {
		say(" by %s", j.User.Username)
	}
	seconds := func(v *float64) any {
		if v == nil {
			return "null"
		}
		return *v
	}
	say(": %v s after %v s", seconds(j.Duration), seconds(j.QueuedDuration))
	if j.FinishedAt != nil {
		say(", ended %s", j.FinishedAt.UTC().Format(time.RFC3339))
	}
	say(", ")
	if j.ArtifactsFile != nil {
		say("archive of %d in ", j.ArtifactsFile.Size)
	}
	say("%d files", len(j.Artifacts))
	if j.ArtifactsExpireAt != nil {
		say(" until %s", j.ArtifactsExpireAt.UTC().Format(time.RFC3339))
	}
	say(", tags %v", j.TagList)
	return b.String()
}

func TestNotNow(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]bool{
		"400 Bad request - Unplayable Job":     true,
		"403 Forbidden - Job is not retryable": true, "403 Forbidden - Job is not erasable!": true,
		"409 Conflict": true, "403 Forbidden": false, "404 Not found": false, "401 Unauthorized": false,
	} {
		status := map[byte]int{'0': 400, '1': 401, '3': 403, '4': 404, '9': 409}[message[2]]
		if got := (&gitlab.Error{StatusCode: status, Message: message}).NotNow(); got != want {
			t.Errorf("%s: %v", message, got)
		}
	}
}

// collect reads a list to its end.
func collect[T any](list iter.Seq2[T, error]) ([]T, error) {
	var rows []T
	for row, err := range list {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}
