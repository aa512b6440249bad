package cli

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/dotenv"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

// These tests run commands with options alone, without a command line.

func missing() error { return &resolve.NotFoundError{What: "job"} }

// streams are a console and its output.
type streams struct {
	*console.Console
	out, said bytes.Buffer
}

func newStreams() *streams {
	s := &streams{}
	s.Console = console.New(strings.NewReader(""), &s.out, &s.said)
	return s
}

// instance is a simulated GitLab, and the global options of a user with a token for it.
func instance(t *testing.T) globalOptions {
	t.Helper()
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	t.Cleanup(s.Close)
	token := TokenFile(t, gitlabtest.PrivateToken)
	return globalOptions{retries: -1, variables: map[string]string{"ARTIFETCH_SERVER_URL": s.URL, "ARTIFETCH_TOKEN_FILE": token}}
}

func jobQuery(job int64) queryOptions {
	return queryOptions{project: "1", jobID: strconv.FormatInt(job, 10)}
}

func TestRunFetch(t *testing.T) {
	t.Parallel()
	con, dir := newStreams(), t.TempDir()
	o := fetchOptions{
		global: instance(t), query: jobQuery(1002), asJSON: true, missing: "fail",
		extract: extractOptions{output: filepath.Join(dir, "out")}, report: dotenv.Report{File: filepath.Join(dir, "env"), Prefix: "LIB_"},
	}
	if err := runFetch(t.Context(), o, con.Console); err != nil {
		t.Fatal(err)
	}
	var jobs []fetchedJob
	if err := json.Unmarshal(con.out.Bytes(), &jobs); err != nil || len(jobs) != 1 || *jobs[0].JobID != 1002 || len(jobs[0].Files) != 2 || jobs[0].Files[0].Path != "reports/raw/data.json" {
		t.Errorf("%v: %s", err, con.out.String())
	}
	if report, err := os.ReadFile(o.report.File); err != nil || !strings.Contains(string(report), "LIB_JOB_ID=1002\n") || !strings.Contains(string(report), "LIB_FILES=2\n") {
		t.Errorf("%v: %s", err, report)
	}
	if !strings.Contains(con.said.String(), "fetched") {
		t.Errorf("said %s", con.said.String())
	}
	// A missing job: an error or, depending on the policy, a report without one.
	o.query = jobQuery(999999)
	if err := runFetch(t.Context(), o, con.Console); failure.Of(err) != failure.CodeNotFound {
		t.Error(err)
	}
	o.missing = "ignore"
	if err := runFetch(t.Context(), o, con.Console); err != nil {
		t.Error(err)
	}
	if report, err := os.ReadFile(o.report.File); err != nil || !strings.Contains(string(report), "LIB_FOUND=false\n") {
		t.Errorf("%v: %s", err, report)
	}
}

func TestRunCat(t *testing.T) {
	t.Parallel()
	con := newStreams()
	o := catOptions{global: instance(t), query: jobQuery(1002), file: retrieve.NamedFile{Name: "reports/report.xml"}}
	if err := runCat(t.Context(), o, con.Console); err != nil || con.out.String() != "<report/>\n" {
		t.Errorf("%v: %s", err, con.out.String())
	}
	o.output = filepath.Join(t.TempDir(), "file")
	if err := runCat(t.Context(), o, con.Console); err != nil || con.out.Len() != len("<report/>\n") {
		t.Errorf("%v: %s", err, con.out.String())
	}
	if content, err := os.ReadFile(o.output); err != nil || string(content) != "<report/>\n" {
		t.Errorf("%v: %s", err, content)
	}
}

func TestRunResolveAndExplain(t *testing.T) {
	t.Parallel()
	g := instance(t)
	for name, tt := range map[string]struct {
		query          queryOptions
		resolved, said string
		code           failure.Code
	}{
		"there":     {jobQuery(1002), `"job_id": 1002`, `"found": true`, failure.CodeDone},
		"not there": {jobQuery(999999), "", `"found": false`, failure.CodeNotFound},
	} {
		con := newStreams()
		if err := runResolve(t.Context(), resolveOptions{global: g, query: tt.query, missing: "fail", asJSON: true}, con.Console); failure.Of(err) != tt.code && err != nil || !strings.Contains(con.out.String(), tt.resolved) {
			t.Errorf("%s: %v, %s", name, err, con.out.String())
		}
		con = newStreams()
		if err := runExplain(t.Context(), explainOptions{global: g, query: tt.query, asJSON: true}, con.Console); (err != nil) != (tt.code != failure.CodeDone) || err != nil && failure.Of(err) != tt.code || !strings.Contains(con.out.String(), tt.said) {
			t.Errorf("%s: %v, %s", name, err, con.out.String())
		}
	}
}

// The formats of a list. Names are printed so that they can't control a terminal.
func TestPrintList(t *testing.T) {
	t.Parallel()
	listed := []extract.Listed{
		{Name: "dist/", Mode: fs.ModeDir | 0o755, ModTime: time.Unix(0, 0)},
		{Name: "dist/a\x1b", Mode: 0o644, Size: 5, Packed: 3, CRC32: 0xbeef, ModTime: time.Unix(0, 0)},
		{Name: "dist/sub/b", Mode: fs.ModeSymlink | 0o777, Size: 1},
	}
	for _, tt := range []struct {
		o    lsOptions
		want string
	}{
		{lsOptions{}, "dist/\ndist/a\\u001b\ndist/sub/b\n"},
		{lsOptions{tree: true}, "dist\n  a\\u001b\n  sub\n    b\n"},
		{lsOptions{long: true}, "drwxr-xr-x\t0\t1970-01-01T00:00:00Z\tdist/\n-rw-r--r--\t5\t1970-01-01T00:00:00Z\tdist/a\\u001b\nLrwxrwxrwx\t1\t\tdist/sub/b\n"},
	} {
		con := newStreams()
		if err := tt.o.print(con.Console, listed); err != nil || con.out.String() != tt.want {
			t.Errorf("%+v: %v\n%q, want\n%q", tt.o, err, con.out.String(), tt.want)
		}
	}
	con := newStreams()
	if err := (lsOptions{asJSON: true}).print(con.Console, listed); err != nil {
		t.Fatal(err)
	}
	var rows []listedFile
	if err := json.Unmarshal(con.out.Bytes(), &rows); err != nil || rows[0].Type != "directory" || rows[1].Type != "file" || *rows[1].CRC32 != "0000beef" || rows[2].Type != "link" || rows[2].CRC32 != nil || rows[2].ModifiedAt != nil {
		t.Errorf("%v: %s", err, con.out.String())
	}
}

// ls doesn't wait long for its note: it ends while the server still owes it the job's
// reports.
func TestListDoesNotWaitForNote(t *testing.T) {
	t.Parallel()
	gitlab := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	t.Cleanup(gitlab.Close)
	to, err := url.Parse(gitlab.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/jobs/1002") {
			<-r.Context().Done()
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(slow.Close)
	con, o := newStreams(), lsOptions{global: instance(t), query: jobQuery(1002)}
	o.global.variables["ARTIFETCH_SERVER_URL"] = slow.URL
	if err := runLs(t.Context(), o, con.Console); err != nil || con.out.Len() == 0 || con.said.Len() > 0 {
		t.Errorf("%v: %s%s", err, con.out.String(), con.said.String())
	}
	s, err := newSession(t.Context(), o.global, con.Console)
	if err != nil {
		t.Fatal(err)
	}
	known := make(chan []string, 1)
	time.AfterFunc(10*time.Millisecond, func() { known <- []string{"junit", "sast"} })
	s.noteReports(known)
	s.opener.Version = "18.5.1-ee"
	known <- []string{"junit"}
	s.noteReports(known)
	if got := con.said.String(); got != "the job also has reports: junit, sast; --report TYPE lists one\nthe job also has reports: junit; GitLab serves them since 19.4\n" {
		t.Error(got)
	}
}

func TestRunExtract(t *testing.T) {
	t.Parallel()
	archive := gitlabtest.Zip(gitlabtest.File{Name: "a", Content: "1"}, gitlabtest.File{Name: "b", Content: "2"})
	con, dir := newStreams(), t.TempDir()
	con.In = bytes.NewReader(archive)
	o := localOptions{archive: "-", extract: extractOptions{output: dir}}
	o.extract.take.Include = []string{"a"}
	if err := runExtract(t.Context(), o, con.Console); err != nil || !strings.Contains(con.said.String(), "✓ standard input · 1 file, 1 B → ") {
		t.Errorf("%v: %s", err, con.said.String())
	}
	o.extract.output = filepath.Join(dir, "{job}")
	if err := runExtract(t.Context(), o, con.Console); failure.Of(err) != failure.CodeUsage {
		t.Errorf("a word that needs a job: %v", err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 || files[0].Name() != "a" {
		t.Errorf("%v, %v", files, err)
	}
}

// Sync and verify: their output, and the exit code for differences.
func TestRunSyncAndVerify(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := manifestOptions{manifest: filepath.Join(dir, "artifetch.yml")}
	text := "version: 1\nsources: [{name: app, project: group/app, ref: main, job: report, output: out}]\n"
	if err := os.WriteFile(file.manifest, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	said := ""
	verify := func() (failure.Code, string) {
		con := newStreams()
		err := runVerify(t.Context(), verifyOptions{files: file}, con.Console)
		if err == nil {
			return failure.CodeDone, con.out.String()
		}
		said = err.Error()
		return failure.Of(err), con.out.String()
	}
	if code, _ := verify(); code != failure.CodeIntegrity {
		t.Errorf("not locked: %d", code)
	}
	o := syncOptions{global: instance(t), files: file, lockedSet: true, pin: pin.Options{DryRun: true}}
	for _, want := range []string{"app: fetch: pipeline 100, job 1002, commit ", "app: pipeline 100, job 1002, commit 0000000000, 2 files\n", ""} {
		con := newStreams()
		if err := runSync(t.Context(), o, con.Console); err != nil || !strings.HasPrefix(con.out.String(), want) || want == "" && con.out.Len() > 0 {
			t.Errorf("%v: %s, want %s", err, con.out.String(), want)
		}
		o.pin.DryRun = false
	}
	if code, out := verify(); code != failure.CodeDone || out != "" {
		t.Errorf("in place: %d, %s", code, out)
	}
	if err := os.Remove(filepath.Join(dir, "out/reports/report.xml")); err != nil {
		t.Fatal(err)
	}
	if code, out := verify(); code != failure.CodeIntegrity || out != "missing\tout/reports/report.xml\n" || said != "1 file differs from the lock file" {
		t.Errorf("not in place: %d, %s, %s", code, out, said)
	}
	if err := os.RemoveAll(filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	if code, _ := verify(); code != failure.CodeIntegrity || said != "2 files differ from the lock file" {
		t.Errorf("nothing in place: %d, %s", code, said)
	}
}

// sync init names the pipeline of the ref, not the child pipeline of the newest job.
func TestInitNamesThePipeline(t *testing.T) {
	t.Parallel()
	o := initOptions{global: instance(t), query: queryOptions{project: "1"}, file: filepath.Join(t.TempDir(), "a.yml")}
	o.query.asked.Jobs, o.query.asked.Ref = []string{"*"}, "main"
	if err := runSyncInit(t.Context(), o, newStreams().Console); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(o.file)
	if want := "# The jobs of pipeline 100 and its child pipelines that have artifacts: "; err != nil || !strings.Contains(string(text), want) {
		t.Errorf("%v: no %q in\n%s", err, want, text)
	}
	if one := pipelinesOf([]resolve.Artifact{{PipelineID: 7}, {PipelineID: 7}}); one != "pipeline 7" {
		t.Error(one)
	}
}
