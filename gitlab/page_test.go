package gitlab_test

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// answers is a server in one function.
type answers func(r *http.Request, asked int) (header http.Header, body string)

type counted struct {
	answers
	asked int
}

// RoundTrip implements [http.RoundTripper].
func (s *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked++
	header, body := s.answers(r, s.asked)
	return &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// Every list ends, whatever a server says: after ten pages without a new row, and
// after as many pages as no caller wants.
func TestListsWithoutEnd(t *testing.T) {
	t.Parallel()
	next := func(asked int) http.Header { return http.Header{"X-Next-Page": {fmt.Sprint(asked + 1)}} }
	link := func(asked int) http.Header {
		return http.Header{"Link": {fmt.Sprintf(`<http://x/?cursor=%d>; rel="next"`, asked)}}
	}
	for name, tt := range map[string]struct {
		answers
		asked, rows int
	}{
		"the same row": {func(_ *http.Request, asked int) (http.Header, string) { return next(asked), `[{"id": 7}]` }, 11, 1},
		"no rows":      {func(_ *http.Request, asked int) (http.Header, string) { return link(asked), `[]` }, 10, 0},
		"new rows, now and then": {func(_ *http.Request, asked int) (http.Header, string) {
			return link(asked), fmt.Sprintf(`[{"id": %d}]`, 1+asked/9)
		}, 10_000, 1112},
		"always a new row": {func(_ *http.Request, asked int) (http.Header, string) {
			return next(asked), fmt.Sprintf(`[{"id": %d}]`, asked)
		}, 10_000, 10_000},
		"a hundred pages, and end": {func(_ *http.Request, asked int) (http.Header, string) {
			if asked == 100 {
				return http.Header{}, `[]`
			}
			return next(asked), fmt.Sprintf(`[{"id": %d}]`, asked)
		}, 100, 99},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &counted{answers: tt.answers}
			c := gitlab.New(&url.URL{Scheme: "http", Host: "gitlab.example.com", Path: "/api/v4"}, &http.Client{Transport: server}, nil)
			rows, last := 0, error(nil)
			for _, err := range c.ProjectJobs(t.Context(), "7", gitlab.JobsOptions{}) {
				if last = err; err == nil {
					rows++
				}
			}
			refusal, endless := errors.AsType[*gitlab.Error](last)
			if endless && !strings.Contains(refusal.Message, "has no end") || endless == (tt.asked == 100) || rows != tt.rows || server.asked != tt.asked {
				t.Errorf("%d rows in %d requests, want %d in %d: %v", rows, server.asked, tt.rows, tt.asked, last)
			}
		})
	}
}

// IDs go into the addresses of requests, so an answer with one that GitLab never gives is
// refused, wherever it is.
func TestIDs(t *testing.T) {
	t.Parallel()
	project, none := gitlab.Project("7"), gitlab.JobsOptions{}
	for call, ask := range map[string]func(c *gitlab.Client) error{
		"job":           func(c *gitlab.Client) error { _, err := c.Job(t.Context(), project, 5); return err },
		"retry":         func(c *gitlab.Client) error { _, err := c.RetryJob(t.Context(), project, 1, nil); return err },
		"pipeline":      func(c *gitlab.Client) error { _, err := c.Pipeline(t.Context(), project, 5); return err },
		"project jobs":  func(c *gitlab.Client) error { return lastOf(c.ProjectJobs(t.Context(), project, none)) },
		"pipeline jobs": func(c *gitlab.Client) error { return lastOf(c.PipelineJobs(t.Context(), project, 1, none)) },
		"bridges":       func(c *gitlab.Client) error { return lastOf(c.Bridges(t.Context(), project, 1, false)) },
		"pipelines": func(c *gitlab.Client) error {
			return lastOf(c.Pipelines(t.Context(), project, gitlab.PipelinesOptions{}))
		},
	} {
		for row, good := range map[string]bool{
			`{"id": 5}`: true, `{"id": -1}`: false, `{"id": 0}`: false, `{}`: false,
			`{"id": 5, "pipeline": {"id": -1}}`:            call == "pipeline" || call == "pipelines",
			`{"id": 5, "downstream_pipeline": {"id": -1}}`: call != "bridges",
			`{"id": 5, "downstream_pipeline": null}`:       true,
		} {
			body := row
			if strings.HasSuffix(call, "s") {
				body = `[{"id": 6}, ` + row + `]`
			}
			server := &counted{answers: func(*http.Request, int) (http.Header, string) { return http.Header{}, body }}
			err := ask(gitlab.New(&url.URL{Scheme: "http", Host: "gitlab.example.com", Path: "/api/v4"}, &http.Client{Transport: server}, nil))
			refusal, refused := errors.AsType[*gitlab.Error](err)
			if refused == good || refused && !strings.Contains(refusal.Message, "an ID that can't be") {
				t.Errorf("%s: %s: %v", call, row, err)
			}
		}
	}
}

// lastOf reads a list and returns its error.
func lastOf[T any](rows iter.Seq2[T, error]) (err error) {
	for _, err = range rows {
	}
	return err
}

// A list whose next page can't be requested doesn't count as complete. If the next page is
// on another host, it is requested from GitLab's own.
func TestListsThatAreCutOff(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		header http.Header
		asked  int
		cut    bool
	}{
		"whole":              {http.Header{}, 1, false},
		"backward":           {http.Header{"X-Next-Page": {"1"}}, 1, true},
		"no number":          {http.Header{"X-Next-Page": {"two"}}, 1, true},
		"another host":       {http.Header{"Link": {`<https://other.example.com/api?cursor=2>; rel="next"`}}, 2, true}, // page 2 says the same
		"another host alone": {http.Header{"Link": {`<https://other.example.com/api>; rel="next"`}}, 1, true},
		"no address":         {http.Header{"Link": {`<http://%zz>; rel="next"`}}, 1, true},
		"the last page":      {http.Header{"Link": {`<https://gitlab.example.com/api>; rel="first"`}, "X-Next-Page": {""}}, 1, false},
	} {
		server := &counted{answers: func(r *http.Request, asked int) (http.Header, string) {
			if r.URL.Host != "gitlab.example.com" {
				t.Errorf("%s is asked", r.URL)
			}
			return tt.header, fmt.Sprintf(`[{"id": %d}]`, asked)
		}}
		c := gitlab.New(&url.URL{Scheme: "http", Host: "gitlab.example.com", Path: "/api/v4"}, &http.Client{Transport: server}, nil)
		err := lastOf(c.ProjectJobs(t.Context(), "7", gitlab.JobsOptions{}))
		refusal, ok := errors.AsType[*gitlab.Error](err)
		if server.asked != tt.asked || (err != nil) != tt.cut || tt.cut && (!ok || !strings.Contains(refusal.Message, "its next page is invalid")) {
			t.Errorf("%s: %d requests, %v", name, server.asked, err)
		}
	}
}

// The answer to a request for a job is about that job.
func TestAnotherJob(t *testing.T) {
	t.Parallel()
	for sent, good := range map[string]bool{`{"id":7}`: true, `{"id":8}`: false, `{"id":7,"id":8}`: false, `{"id":8,"id":7}`: true} {
		server := &counted{answers: func(*http.Request, int) (http.Header, string) { return http.Header{}, sent }}
		c := gitlab.New(&url.URL{Scheme: "http", Host: "gitlab.example.com", Path: "/api/v4"}, &http.Client{Transport: server}, nil)
		job, err := c.Job(t.Context(), "1", 7)
		if (err == nil) != good || good && job.ID != 7 || !good && !strings.Contains(err.Error(), "about job 8") {
			t.Errorf("%s: %d, %v", sent, job.ID, err)
		}
	}
}
