package jobs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/transport"
)

// logOf is a server with one job, 1, and what prints its log.
func logOf(t *testing.T, job *gitlabtest.Job, o gitlabtest.Options) (*gitlabtest.Running, *jobLog, *bytes.Buffer) {
	t.Helper()
	job.ID, job.Name = 1, "build"
	world := &gitlabtest.World{
		Projects: []*gitlabtest.Project{{ID: 1, Path: "g/p", Visibility: gitlabtest.Private, Pipelines: []*gitlabtest.Pipeline{{ID: 1, Ref: "main", Status: "running", Jobs: []*gitlabtest.Job{job}}}}},
		Tokens:   []*gitlabtest.Token{{Value: "glpat-x", Kind: gitlabtest.KindPrivate, Roles: map[int64]string{1: "developer"}}},
	}
	s := gitlabtest.Start(world, o)
	t.Cleanup(s.Close)
	api, err := url.Parse(s.APIURL)
	if err != nil {
		t.Fatal(err)
	}
	clients := transport.New(transport.Options{API: api, Header: "PRIVATE-TOKEN", Token: "glpat-x"})
	var out bytes.Buffer
	l := &jobLog{Client: &Client{API: gitlab.New(api, clients.Whole, clients.Stream)}, project: "1", id: 1, out: &out, pause: time.Millisecond}
	return s, l, &out
}

// Every byte of a log that grows is printed once, whatever happens on the way.
func TestFollow(t *testing.T) {
	t.Parallel()
	log := strings.Repeat("a line of the log\n", 500)
	for name, faults := range map[string][]gitlabtest.Fault{
		"quietly":             nil,
		"broken off":          {{Kind: "reset-body", On: "/trace", Skip: 1, Times: 2, After: 1500}},
		"cut short":           {{Kind: "short-body", On: "/trace", Times: 1, After: 100}},
		"a server that rests": {{Kind: "503", On: "/trace", Times: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, l, out := logOf(t, &gitlabtest.Job{Status: "running", Trace: log, TraceStep: 1000, FinishAfter: 8}, gitlabtest.Options{Faults: faults})
			if err := l.print(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			if out.String() != log {
				t.Errorf("%d bytes of %d were printed", out.Len(), len(log))
			}
			last := s.Requests()[len(s.Requests())-2:]
			if !strings.HasSuffix(last[0].Path, "/jobs/1") || !strings.HasSuffix(last[1].Path, "/trace") {
				t.Errorf("the log was not read after the job had finished: %s, %s", last[0].Path, last[1].Path)
			}
		})
	}
}

// While GitLab moves a finished log to storage, it may be shorter, or not there.
func TestFollowOfALogThatShrinks(t *testing.T) {
	t.Parallel()
	s, l, out := logOf(t, &gitlabtest.Job{Status: "running", Trace: "0123456789"}, gitlabtest.Options{})
	for _, trace := range []string{"0", "01234", "0123456789ab"} {
		if err := l.whole(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.Update(func(w *gitlabtest.World) { w.Projects[0].Pipelines[0].Jobs[0].Trace = trace })
	}
	if err := l.whole(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out.String() != "0123456789ab" {
		t.Errorf("printed %q", out)
	}
}

// A log that breaks off for ever is an error, and so is one that cannot be
// written.
func TestLogErrors(t *testing.T) {
	t.Parallel()
	_, l, _ := logOf(t, &gitlabtest.Job{Trace: "0123456789"}, gitlabtest.Options{Faults: []gitlabtest.Fault{{Kind: "reset-body", On: "/trace", After: 5}}})
	l.Policy = transport.Policy{Retries: -1}
	if err := l.print(t.Context(), false); !isBroken(err) {
		t.Errorf("broken off: %v", err)
	}
	s, l, _ := logOf(t, &gitlabtest.Job{Trace: "0123456789"}, gitlabtest.Options{})
	l.out = writerFunc(func([]byte) (int, error) { return 0, errors.New("broken") })
	if err := l.print(t.Context(), false); err == nil || len(s.Requests()) != 1 {
		t.Errorf("not written: %v after %d requests", err, len(s.Requests()))
	}
	if r := s.Requests()[0]; r.Method != http.MethodGet || r.Query != "" {
		t.Errorf("%s ?%s", r.Method, r.Query)
	}
}

// trickle is a server whose answers each break off some bytes behind the last one.
type trickle struct{ step, asked int }

// RoundTrip implements [http.RoundTripper].
func (s *trickle) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked++
	body := io.MultiReader(strings.NewReader(strings.Repeat("x", s.step*s.asked)), iotest.ErrReader(io.ErrUnexpectedEOF))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
}

// If a server keeps interrupting the log after a few bytes, retries are limited; if it
// sends more in between, they aren't.
func TestLogTrickles(t *testing.T) {
	t.Parallel()
	for step, want := range map[int]int{0: 4, 10: 4, realProgress - 1: 4, realProgress: 40} {
		synctest.Test(t, func(t *testing.T) {
			server := &trickle{step: step}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			l := &jobLog{project: "1", id: 1, out: writerFunc(func(p []byte) (int, error) {
				if server.asked == 40 {
					cancel()
				}
				return len(p), nil
			})}
			api := &url.URL{Scheme: "http", Host: "gitlab.example.com", Path: "/api/v4"}
			l.Client = &Client{API: gitlab.New(api, &http.Client{Transport: server}, &http.Client{Transport: server}), Policy: transport.Policy{Retries: 3, MaxTime: time.Hour}}
			if err := l.print(ctx, false); err == nil || server.asked != want {
				t.Errorf("%d bytes more each time: %v after %d requests, want %d", step, err, server.asked, want)
			}
		})
	}
}

type writerFunc func([]byte) (int, error)

// Write implements [io.Writer].
func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func isBroken(err error) bool {
	_, broken := errors.AsType[*LogBrokenError](err)
	return broken
}
