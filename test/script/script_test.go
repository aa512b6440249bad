package script

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// TestScript runs the program as users do, with the simulated GitLab. In addition to
// testscript's commands there are:
//
//	gitlab [flags]     start a server, set the variables of a job of group/app, or with
//	                   -as ID those of that job
//	token KIND         be a job, a private token, a bearer token, nobody, …
//	exits CODE args…   run, and require the exit code; no secret may be printed
//	requests           print the requests since the last time
//	await TEXT         wait for a request that contains TEXT
//	terminate          send SIGTERM to the programs in the background
//	sections N         require that many sections in the last job log, each opened and
//	                   closed once, and no other carriage returns
//	tree DIR           print type, mode, size and name of everything
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join(harness.Root, "testdata/script"),
		UpdateScripts:       *harness.Update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			// A job's own variables must not reach the scripts.
			e.Setenv("ARTIFETCH_SECRETS_DIR", filepath.Join(e.WorkDir, "secrets"))
			e.Setenv("NL", "\n")
			e.Values[serverKey{}] = &simulated{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"gitlab": cmdGitLab, "token": cmdToken, "exits": cmdExits,
			"requests": cmdRequests, "await": cmdAwait, "terminate": cmdTerminate, "tree": cmdTree, "sections": cmdSections,
		},
	})
}

type serverKey struct{}

// simulated is a script's server.
type simulated struct {
	running  *gitlabtest.Running
	printed  int               // number of printed requests
	vars     map[string]string // the job's
	jobToken string
}

func server(ts *testscript.TestScript) *simulated {
	s, ok := ts.Value(serverKey{}).(*simulated)
	if !ok {
		ts.Fatalf("no server")
	}
	return s
}

func cmdGitLab(ts *testscript.TestScript, _ bool, args []string) {
	var o gitlabtest.Options
	flags := flag.NewFlagSet("gitlab", flag.ContinueOnError)
	flags.Func("mode", "", func(v string) error { o.Mode = gitlabtest.Mode(v); return nil })
	flags.StringVar(&o.Version, "version", "", "")
	worldFile := flags.String("world", "", "")
	as := flags.Int64("as", 0, "")
	flags.BoolVar(&o.Unlicensed, "unlicensed", false, "")
	flags.BoolVar(&o.NoSuffixRange, "no-suffix-range", false, "")
	flags.IntVar(&o.SuffixStatus, "suffix-status", 0, "")
	flags.BoolVar(&o.IgnoreIfNoneMatch, "ignore-if-none-match", false, "")
	flags.StringVar(&o.StorageDown, "storage-down", "", "")
	flags.Func("download-modes", "", func(v string) error { o.DownloadModes = strings.Split(v, ","); return nil })
	flags.IntVar(&o.RefusedMode, "refused-mode", 0, "")
	flags.DurationVar(&o.URLExpiry, "url-expiry", 0, "")
	flags.StringVar(&o.RelativeRoot, "relative-root", "", "")
	flags.Func("fault", "", func(v string) error {
		var f gitlabtest.Fault
		err := json.Unmarshal([]byte(v), &f)
		o.Faults = append(o.Faults, f)
		return err
	})
	ts.Check(flags.Parse(args))
	s := server(ts)
	if s.running == nil {
		ts.Defer(func() { s.check(ts); s.running.Close() })
	} else {
		s.check(ts)
		s.running.Close()
	}
	s.running, s.printed = gitlabtest.Start(world(ts, *worldFile), o), 0
	for name := range s.vars { // of the previous job
		ts.Setenv(name, "")
	}
	s.vars, s.jobToken = nil, gitlabtest.JobToken
	if *as != 0 {
		var err error
		s.vars, err = s.running.Env(*as)
		ts.Check(err)
		s.jobToken = cmp.Or(s.vars["CI_JOB_TOKEN"], s.jobToken)
	}
	vars := map[string]string{
		"GITLAB_CI": "true", "NO_COLOR": "1",
		"CI_API_V4_URL": s.running.APIURL, "CI_SERVER_URL": s.running.URL, "CI_SERVER_FQDN": strings.TrimPrefix(s.running.URL, "http://"),
		"CI_PROJECT_ID": "1", "CI_PROJECT_PATH": "group/app", "CI_PROJECT_DIR": ts.MkAbs("ws"),
		"CI_COMMIT_REF_NAME": "main", "CI_DEFAULT_BRANCH": "main",
		"GITLAB_TOKEN": "", "HTTP_PROXY": "", "HTTPS_PROXY": "", "NO_PROXY": "*",
	}
	maps.Copy(vars, s.vars)
	for name, value := range vars {
		ts.Setenv(name, value)
	}
	setToken(ts, "job")
}

// world returns the fixture, or the world in a file, with the fixture's tokens.
func world(ts *testscript.TestScript, file string) *gitlabtest.World {
	if file == "" {
		return gitlabtest.Fixture()
	}
	w, err := gitlabtest.ReadWorld(strings.NewReader(ts.ReadFile(file)))
	ts.Check(err)
	w.Tokens = gitlabtest.Fixture().Tokens
	return w
}

// check checks what must be true of every script: object storage got no credential, and
// no URL contained one.
func (s *simulated) check(ts *testscript.TestScript) {
	for _, r := range s.running.Requests() {
		if r.LeakedToken {
			ts.Fatalf("object storage received a token: %s %s", r.Method, r.Path)
		}
		for _, secret := range harness.Secrets() {
			if strings.Contains(r.Path+"?"+r.Query, secret) {
				ts.Fatalf("a token is part of an address: %s?%s", r.Path, r.Query)
			}
		}
	}
}

func cmdToken(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: token job|dead-job|private|expired-private|bearer|none")
	}
	setToken(ts, args[0])
}

func setToken(ts *testscript.TestScript, kind string) {
	vars := map[string]string{"GITLAB_TOKEN": "", "CI_JOB_TOKEN": "", "ARTIFETCH_TOKEN_TYPE": ""}
	switch kind {
	case "job":
		vars["CI_JOB_TOKEN"] = server(ts).jobToken
	case "dead-job":
		vars["CI_JOB_TOKEN"] = gitlabtest.DeadJobToken
	case "private":
		vars["GITLAB_TOKEN"] = gitlabtest.PrivateToken
	case "expired-private":
		vars["GITLAB_TOKEN"] = gitlabtest.ExpiredPrivateToken
	case "narrow":
		vars["GITLAB_TOKEN"] = gitlabtest.NarrowToken
	case "granular":
		vars["GITLAB_TOKEN"] = gitlabtest.GranularToken
	case "bearer":
		vars["GITLAB_TOKEN"], vars["ARTIFETCH_TOKEN_TYPE"] = gitlabtest.BearerToken, "bearer"
	case "none":
		vars["ARTIFETCH_TOKEN_TYPE"] = "none"
	default:
		ts.Fatalf("unknown kind of token %q", kind)
	}
	for name, value := range vars {
		ts.Setenv(name, value)
	}
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE command…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		got = failed.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	stdout, stderr := ts.ReadFile("stdout"), ts.ReadFile("stderr")
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	for _, secret := range append(harness.Secrets(), "X-Amz-Signature=", "glcbt-") {
		if at := strings.Index(stdout+stderr, secret); at >= 0 && !strings.Contains(stdout+stderr, secret+"REDACTED") {
			ts.Fatalf("%q was printed", secret)
		}
	}
}

// cmdRequests prints the requests since the last call; "requests sorted" sorts those that
// are made in parallel.
func cmdRequests(ts *testscript.TestScript, _ bool, args []string) {
	s := server(ts)
	all := s.running.Requests()
	var lines []string
	for _, r := range all[s.printed:] {
		lines = append(lines, harness.Describe(r)+"\n")
	}
	s.printed = len(all)
	if slices.Equal(args, []string{"sorted"}) {
		slices.Sort(lines)
	}
	_, _ = fmt.Fprint(ts.Stdout(), strings.Join(lines, ""))
}

func cmdAwait(ts *testscript.TestScript, _ bool, args []string) {
	s := server(ts)
	for range 1000 {
		for _, r := range s.running.Requests()[s.printed:] {
			if strings.Contains(harness.Describe(r), args[0]) {
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("no request with %q", args[0])
}

func cmdTerminate(ts *testscript.TestScript, _ bool, _ []string) {
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(syscall.SIGTERM))
	}
}

func cmdTree(ts *testscript.TestScript, _ bool, args []string) {
	root := ts.MkAbs(args[0])
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		size := ""
		if info.Mode().IsRegular() {
			size = strconv.FormatInt(info.Size(), 10)
		}
		if target, err := os.Readlink(path); err == nil {
			name += " -> " + target
		}
		_, _ = fmt.Fprintf(ts.Stdout(), "%s %s %s\n", info.Mode(), size, filepath.ToSlash(name))
		return nil
	})
	ts.Check(err)
}

func cmdSections(ts *testscript.TestScript, _ bool, args []string) {
	log := ts.ReadFile("stderr")
	marks := regexp.MustCompile("\x1b\\[0Ksection_(start|end):[0-9]+:([A-Za-z0-9_.-]+)(?:\\[collapsed=true\\])?\r\x1b\\[0K").FindAllStringSubmatch(log, -1)
	if want, err := strconv.Atoi(args[0]); err != nil || len(marks) != 2*want || strings.Count(log, "\r") != len(marks) {
		ts.Fatalf("%d marks of sections, %d carriage returns", len(marks), strings.Count(log, "\r"))
	}
	for i := 0; i < len(marks); i += 2 {
		if start, end := marks[i], marks[i+1]; start[1] != "start" || end[1] != "end" || start[2] != end[2] {
			ts.Fatalf("sections: %q", marks)
		}
	}
}
