package cli_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/cli"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// busyWorld has n pipelines of main, an hour apart, each with the jobs build and test. A
// job of the oldest pipeline is then retried, so it has the highest ID.
func busyWorld(n int) *gitlabtest.World {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	project := &gitlabtest.Project{ID: 1, Path: "group/app", Visibility: gitlabtest.Private}
	for i := range n {
		id, at := int64(i+1), start.Add(time.Duration(i)*time.Hour)
		project.Pipelines = append(project.Pipelines, &gitlabtest.Pipeline{ID: id, Ref: "main", SHA: fmt.Sprintf("%040x", id), Status: "success", CreatedAt: at, Jobs: []*gitlabtest.Job{
			{ID: 10 * id, Name: "build", Status: "success", Archive: gitlabtest.Zip(gitlabtest.File{Name: "job.txt", Content: fmt.Sprint("build ", 10*id, "\n")})},
			{ID: 10*id + 1, Name: "test", Status: "failed", AllowFailure: true},
		}})
	}
	oldest := project.Pipelines[0]
	oldest.Jobs[1].Retried = true
	oldest.Jobs = append(oldest.Jobs, &gitlabtest.Job{ID: int64(10*n + 9), Name: "test", Status: "success", CreatedAt: start.Add(time.Duration(n) * time.Hour)})
	return &gitlabtest.World{Projects: []*gitlabtest.Project{project}, Tokens: gitlabtest.Fixture().Tokens}
}

// byJobToken runs a command with a job token on a server that lets it list jobs, but not
// pipelines. It returns the output, and the number of requests.
func byJobToken(t *testing.T, o gitlabtest.Options, world *gitlabtest.World, args string) (out, said string, requests int) {
	t.Helper()
	o.Version = "18.5"
	s := gitlabtest.Start(world, o)
	defer s.Close()
	token := cli.TokenFile(t, gitlabtest.JobToken)
	var stdout, stderr bytes.Buffer
	all := append([]string{"artifetch", "--server-url", s.URL, "--token-file", token}, strings.Fields(args)...)
	if code := command(t, append(all, "-R", "1"), cli.IO{Out: &stdout, Err: &stderr}); code != 0 {
		t.Fatalf("%s: code %d: %s", args, code, stderr.String())
	}
	return stdout.String(), stderr.String(), len(s.Requests())
}

// ids returns the first column of a list of jobs.
func ids(list string) string {
	var first []string
	for line := range strings.Lines(list) {
		id, _, _ := strings.Cut(line, "\t")
		first = append(first, id)
	}
	return strings.Join(first, " ")
}

// A retried job of an older pipeline isn't mistaken for one of the newest pipeline, and
// only the pages with jobs newer than that pipeline are read.
func TestLatestWithoutPipelines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ args, want string }{
		{"jobs --ref main --pipeline latest", "501 500"},
		{"jobs --ref main --pipeline latest --limit 1", "501"},
		{"jobs --ref main --pipeline latest --scope failed", "501"},
		{"jobs --ref main --pipeline latest --scope success", "500"},
		{"jobs --ref main --pipeline latest --name build", "500"},
	} {
		list, _, requests := byJobToken(t, gitlabtest.Options{PerPage: 3}, busyWorld(50), tt.args)
		if ids(list) != tt.want || requests != 4 { // refused pipelines, two pages, the pipeline's jobs
			t.Errorf("%s: %q in %d requests, want %q in 4", tt.args, ids(list), requests, tt.want)
		}
	}
	out := t.TempDir()
	_, _, requests := byJobToken(t, gitlabtest.Options{PerPage: 3}, busyWorld(50), "fetch --pipeline latest --ref main --job build -o "+out)
	if got := jobsIn(t, out); got != "500" || requests > 4 {
		t.Errorf("job %s was fetched in %d requests", got, requests)
	}
}

// A project's list leaves out attempts that were retried.
func TestRefWithoutPipelines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ args, want string }{
		{"jobs --ref main", "39 31 30 21 20 10"},
		{"jobs --ref main --include-retried", "39 31 30 21 20 11 10"},
		{"jobs --ref main --scope failed", "31 21"},
		{"jobs --ref main --scope failed --include-retried", "31 21 11"},
		{"jobs --ref other", ""},
	} {
		if list, _, _ := byJobToken(t, gitlabtest.Options{}, busyWorld(3), tt.args); ids(list) != tt.want {
			t.Errorf("%s: %q, want %q", tt.args, ids(list), tt.want)
		}
	}
}

// endless is a server with endless lists. Job tokens may list jobs, but not pipelines.
type endless struct{ asked atomic.Int64 }

// ServeHTTP implements [http.Handler].
func (s *endless) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	query := r.URL.Query()
	row := func(id int) string {
		return fmt.Sprintf(`{"id": %d, "name": "build", "status": "success", "ref": "main", "pipeline": {"id": %d, "ref": "main", "status": "success", "source": "push"}}`, id, id/2)
	}
	w.Header().Set("Content-Type", "application/json")
	rows := make([]string, 100)
	switch {
	case strings.HasSuffix(r.URL.Path, "/projects/1/jobs"):
		cursor := atoi(query.Get("cursor"))
		for i := range rows {
			rows[i] = row(1_000_000_000 - 100*cursor - i)
		}
		query.Set("cursor", strconv.Itoa(cursor+1))
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?%s>; rel="next"`, r.Host, r.URL.Path, query.Encode()))
	case strings.HasSuffix(r.URL.Path, "/projects/1/pipelines") && r.Header.Get("JOB-TOKEN") == "":
		page := max(1, atoi(query.Get("page")))
		for i := range rows {
			asked := r.URL.Query()
			rows[i] = fmt.Sprintf(`{"id": %d, "ref": %q, "sha": %q, "status": "success", "source": "push"}`, 1_000_000-100*page-i, cmp.Or(asked.Get("ref"), "main"), asked.Get("sha"))
		}
		w.Header().Set("X-Next-Page", strconv.Itoa(page+1))
	case strings.HasSuffix(r.URL.Path, "/jobs") && strings.Contains(r.URL.Path, "/pipelines/"):
		rows = []string{row(2 * atoi(path.Base(path.Dir(r.URL.Path))))}
	case strings.HasSuffix(r.URL.Path, "/trigger_jobs"):
		rows = nil
	case strings.HasSuffix(r.URL.Path, "/download"):
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"message": "404 Not found"}`)
		return
	default:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"message": "401 Unauthorized"}`)
		return
	}
	_, _ = io.WriteString(w, "["+strings.Join(rows, ",")+"]")
}

func atoi(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// A search without a result ends, and says where.
func TestSearchIsBounded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		token, args    string
		code, requests int
	}{
		{gitlabtest.PrivateToken, "jobs --name none", 0, 101},
		{gitlabtest.PrivateToken, "jobs --with-artifacts", 0, 101},
		{gitlabtest.PrivateToken, "jobs --ref main --name none", 0, 1011}, // the pages of a thousand pipelines, and their jobs
		{gitlabtest.JobToken, "jobs --ref none", 0, 102},
		{gitlabtest.JobToken, "jobs --ref main --name none", 0, 102},
		{gitlabtest.JobToken, "jobs --ref none --pipeline latest --limit 0", 3, 21},
		{gitlabtest.JobToken, "resolve --ref none --job build --recent", 3, 22}, // by ref, and the list
		{gitlabtest.JobToken, "resolve --pipeline latest --ref none --job build", 3, 21},
		{gitlabtest.JobToken, "resolve --mr 7 --job build", 3, 22}, // the list, and the merge request
		{gitlabtest.PrivateToken, "resolve --ref main --recent --job none", 3, 201},
		{gitlabtest.PrivateToken, "resolve --sha 0123456789012345678901234567890123456789 --job none", 3, 201},
		{gitlabtest.PrivateToken, "resolve --mr 7 --job none", 3, 203}, // the newest hundred of head, merge and train
	} {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			server := &endless{}
			s := httptest.NewServer(server)
			defer s.Close()
			token := cli.TokenFile(t, tt.token)
			var out, said bytes.Buffer
			args := append([]string{"artifetch", "--server-url", s.URL, "--token-file", token}, strings.Fields(tt.args+" -R 1")...)
			code := command(t, args, cli.IO{Out: &out, Err: &said})
			if code != tt.code || server.asked.Load() != int64(tt.requests) || out.Len() > 0 {
				t.Errorf("code %d in %d requests, want %d in %d: %s%s", code, server.asked.Load(), tt.code, tt.requests, out.String(), said.String())
			}
			if tt.code == 0 && !strings.Contains(said.String(), " jobs; there may be more: --limit 0 searches everything") {
				t.Errorf("it says %s", said.String())
			}
		})
	}
}
