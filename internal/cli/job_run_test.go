package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/jobs"
	"gitlab.com/artifetch/artifetch/resolve"
)

// at returns options for a server and a token.
func at(t *testing.T, s *gitlabtest.Running, token string) globalOptions {
	t.Helper()
	file := TokenFile(t, token)
	return globalOptions{retries: -1, quiet: true, variables: map[string]string{"ARTIFETCH_SERVER_URL": s.URL, "ARTIFETCH_TOKEN_FILE": file}}
}

// Commands print to their console, and to nothing else.
func TestRunJobs(t *testing.T) {
	t.Parallel()
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	defer s.Close()
	global := at(t, s, gitlabtest.PrivateToken)
	query := jobs.Query{Query: resolve.Query{}, Limit: 2}
	for format, lines := range map[string]int{"text": 2, "jsonl": 2} {
		var out, said bytes.Buffer
		err := runJobs(t.Context(), jobsOptions{global: global, project: "1", format: format, query: query}, console.New(nil, &out, &said))
		if err != nil || strings.Count(out.String(), "\n") != lines || said.Len() > 0 {
			t.Errorf("%s: %v: %s%s", format, err, out.String(), said.String())
		}
	}
	if n := len(s.Requests()); n != 2 {
		t.Errorf("%d requests for two lists", n)
	}
	var none bytes.Buffer
	err := runJobs(t.Context(), jobsOptions{global: global, project: "12345", format: "json", query: query}, console.New(nil, &none, &none))
	if failure.Of(err) != failure.CodeNotFound || none.Len() > 0 {
		t.Errorf("no such project: %v: %s", err, none.String())
	}
	err = runJobs(t.Context(), jobsOptions{global: global, project: "1", format: "json", query: query}, console.New(nil, closedWriter{}, &none))
	if !errors.Is(err, errClosed) {
		t.Errorf("not written: %v", err)
	}
}

var errClosed = errors.New("closed")

type closedWriter struct{}

// Write implements [io.Writer].
func (closedWriter) Write([]byte) (int, error) { return 0, errClosed }

// An action is one request to the server; with a job token, there is none.
func TestRunJobActions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		token  string
		action jobAction
		id     string
		code   failure.Code
		asked  string // methods of the requests
	}{
		{"retry", gitlabtest.PrivateToken, jobAction{do: retryJob}, "1001", failure.CodeDone, "POST"},
		{"erase", gitlabtest.PrivateToken, jobAction{do: eraseJob}, "1001", failure.CodeDone, "POST"},
		{"cancel what has finished", gitlabtest.PrivateToken, jobAction{do: cancelJob}, "1001", failure.CodeRefused, "POST"},
		{"play what can't be", gitlabtest.PrivateToken, jobAction{do: playJob}, "1001", failure.CodeRefused, "POST"},
		{"no such job", gitlabtest.PrivateToken, jobAction{do: retryJob}, "99999", failure.CodeNotFound, "POST"},
		{"the token of a job", gitlabtest.JobToken, jobAction{do: retryJob}, "1001", failure.CodeDenied, ""},
		{"the token of a job, before the question", gitlabtest.JobToken, jobAction{do: eraseJob}, "1001", failure.CodeDenied, ""},
		{"no number", gitlabtest.PrivateToken, jobAction{do: retryJob}, "x", failure.CodeUsage, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
			defer s.Close()
			var out bytes.Buffer
			err := tt.action.run(t.Context(), jobOptions{global: at(t, s, tt.token), query: queryOptions{project: "1"}, id: tt.id}, console.New(nil, &out, &out))
			got := failure.CodeDone
			if err != nil {
				got = failure.Of(err)
			}
			if got != tt.code || (err == nil) != strings.Contains(out.String(), "job_id") {
				t.Errorf("code %d, want %d: %v: %s", got, tt.code, err, out.String())
			}
			var asked []string
			for _, r := range s.Requests() {
				asked = append(asked, r.Method)
			}
			if strings.Join(asked, " ") != tt.asked {
				t.Errorf("requests: %s, want %s", asked, tt.asked)
			}
		})
	}
}

// Job and log are printed to the command's console.
func TestRunJobShowAndLog(t *testing.T) {
	t.Parallel()
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	defer s.Close()
	o := jobOptions{global: at(t, s, gitlabtest.PrivateToken), query: queryOptions{project: "1"}, id: "1001"}
	var out bytes.Buffer
	if err := runJobShow(t.Context(), o, console.New(nil, &out, &out)); err != nil || !strings.Contains(out.String(), "job_id") {
		t.Errorf("%v: %s", err, out.String())
	}
	out.Reset()
	s.Update(func(w *gitlabtest.World) { w.Projects[0].Pipelines[0].Jobs[0].Trace = "\x1b[31mred\x1b[0m\n" })
	id := s.Requests()[0].Path
	if err := runJobLog(t.Context(), jobLogOptions{jobOptions: o}, console.New(nil, &out, &out)); err != nil {
		t.Errorf("%s: %v", id, err)
	}
	with := out.String()
	out.Reset()
	if err := runJobLog(t.Context(), jobLogOptions{jobOptions: o, plain: true}, console.New(nil, &out, &out)); err != nil || strings.Contains(out.String(), "\x1b") {
		t.Errorf("%v: %q, with control sequences %q", err, out.String(), with)
	}
}

// Hints of actions name commands.
func TestHintsOfActions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&jobs.WaitingError{Job: 5}, "artifetch job play 5"},
		{&jobs.UnsureError{Job: 5, Err: errClosed}, ": artifetch job show 5"},
		{&jobs.UnsureError{Err: errClosed}, "artifetch did not retry"},
		{&jobs.TokenError{What: "logs", Scope: "read_api"}, "with the scope read_api"},
	} {
		if hint := failure.Hint(tt.err); !strings.HasSuffix(hint, tt.want) {
			t.Errorf("%T: %q, want %q", tt.err, hint, tt.want)
		}
	}
}
