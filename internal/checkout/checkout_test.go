package checkout

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/need"
)

// repository is a new one with remotes. Git's own configuration on this machine has no
// part in it.
func repository(t *testing.T, remotes ...string) string {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	for i := 0; i < len(remotes); i += 2 {
		git(t, dir, "config", "remote."+remotes[i]+".url", remotes[i+1])
	}
	return dir
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	need.Tools(t, "git")
	c := exec.Command("git", append([]string{"-C", dir}, args...)...)
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v: %s", args, err, out)
	}
}

func api(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Which server a credential goes to is never a remote's to say, whatever the remote is and
// wherever the credential is from.
func TestCredentialsStayWithTheirServer(t *testing.T) {
	t.Parallel()
	const own, usual = "https://git.example/api/v4", "https://gitlab.com/api/v4"
	token := env.Token{Value: env.NewSecret("glpat-secret"), Kind: env.PrivateToken}
	anonymous := env.Token{Kind: env.NoToken}
	for _, tt := range []struct {
		name, remote string
		cfg          env.Config
		api, project string
		elsewhere    bool
	}{
		{"the default server", "https://gitlab.com/g/p", env.Config{APIURL: api(t, usual), Token: token}, usual, "g/p", false},
		{"the server that is named", "git@git.example:g/p.git", env.Config{APIURL: api(t, own), ServerNamed: true, Token: token}, own, "g/p", false},
		{"another than the default", "https://evil.example/g/p", env.Config{APIURL: api(t, usual), Token: token}, usual, "", true},
		{"another, by SSH", "git@evil.example:g/p", env.Config{APIURL: api(t, usual), Token: token}, usual, "", true},
		{"another, with credentials of its own", "https://oauth2:x@evil.example/g/p", env.Config{APIURL: api(t, usual), Token: token}, usual, "", true},
		{"another than is named", "https://evil.example/g/p", env.Config{APIURL: api(t, own), ServerNamed: true, Token: token}, own, "", true},
		{"another than is named, without a token", "https://evil.example/g/p", env.Config{APIURL: api(t, own), ServerNamed: true, Token: anonymous}, own, "", true},
		{"a client certificate is a credential", "https://evil.example/g/p", env.Config{APIURL: api(t, usual), Token: anonymous, TLS: env.TLS{CertFile: "x"}}, usual, "", true},
		{"a job token", "https://evil.example/g/p", env.Config{APIURL: api(t, own), ServerNamed: true, Token: env.Token{Kind: env.JobToken}}, own, "", true},
		{"nothing to lose", "http://git.example:8080/g/p.git", env.Config{APIURL: api(t, usual), Token: anonymous}, "http://git.example:8080/api/v4", "g/p", false},
		{"nothing to lose, by SSH", "ssh://git@git.example:2222/g/p.git", env.Config{APIURL: api(t, usual), Token: anonymous}, "https://git.example/api/v4", "g/p", false},
	} {
		cfg, err := Adopt(t.Context(), tt.cfg, repository(t, "origin", tt.remote))
		other, elsewhere := errors.AsType[*ElsewhereError](err)
		if cfg.APIURL.String() != tt.api || cfg.Project != tt.project || cfg.ProjectPath != tt.project || elsewhere != tt.elsewhere || (cfg.Remote == "origin") == elsewhere {
			t.Errorf("%s: %s of %s by %q, %v", tt.name, cfg.Project, cfg.APIURL, cfg.Remote, err)
		}
		if elsewhere && (strings.Contains(err.Error(), "oauth2") || other.Named != tt.cfg.ServerNamed) {
			t.Errorf("%s: %+v", tt.name, other)
		}
	}
}

// Origin counts, else the only remote; where nothing can be meant, nothing changes.
func TestWhichRemote(t *testing.T) {
	t.Parallel()
	base := env.Config{APIURL: api(t, "https://gitlab.com/api/v4"), Token: env.Token{Kind: env.PrivateToken}}
	const a, b = "https://gitlab.com/g/a.git", "git@gitlab.com:g/b.git"
	for _, tt := range []struct {
		name    string
		remotes []string
		project string
		unclear string
	}{
		{"origin", []string{"fork", a, "origin", b}, "g/b", ""},
		{"the only one", []string{"upstream", a}, "g/a", ""},
		{"neither", []string{"one", a, "two", b}, "", "the remotes one, two, and none of them is called origin"},
		{"none", nil, "", ""},
		{"a directory", []string{"origin", "/srv/app.git"}, "", "the remote origin of this checkout isn't the address of a project"},
		{"the only one is a directory", []string{"up", "/srv/u:p@app.git"}, "", "the remote up of"},
	} {
		cfg, err := Adopt(t.Context(), base, repository(t, tt.remotes...))
		unclear, is := errors.AsType[*UnclearError](err)
		if is != (tt.unclear != "") || is && (!strings.Contains(unclear.Error(), tt.unclear) || strings.Contains(err.Error(), "/srv")) || !is && err != nil || cfg.Project != tt.project {
			t.Errorf("%s: %q, %v", tt.name, cfg.Project, err)
		}
	}
	here := repository(t, "origin", a)
	for name, change := range map[string]func(*env.Config){
		"a project is known": func(c *env.Config) { c.Project = "7" },
		"in a job":           func(c *env.Config) { c.AnyCI = true },
	} {
		cfg := base
		change(&cfg)
		if got, err := Adopt(t.Context(), cfg, here); err != nil || got.Remote != "" || got.Project != cfg.Project {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if cfg, err := Adopt(t.Context(), base, t.TempDir()); err != nil || cfg.Project != "" {
		t.Errorf("no checkout: %q, %v", cfg.Project, err)
	}
}

// What git makes of its configuration counts: insteadOf, worktrees, directories below.
func TestGitDecides(t *testing.T) {
	t.Parallel()
	dir := repository(t, "origin", "gl:g/p.git")
	git(t, dir, "config", "url.git@gitlab.com:.insteadOf", "gl:")
	git(t, dir, "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-q", "--allow-empty", "-m", "x")
	tree := filepath.Join(t.TempDir(), "tree")
	git(t, dir, "worktree", "add", "-q", tree)
	below := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{dir, tree, below} {
		if got := remotes(t.Context(), at); !slices.Equal(got, []remote{{"origin", "git@gitlab.com:g/p.git"}}) {
			t.Errorf("%s: %q", at, got)
		}
	}
	if got := read("o\thttps://h/a b.git (fetch) [blob:none]\no\tx (push)\nnonsense\n"); !slices.Equal(got, []remote{{"o", "https://h/a b.git"}}) {
		t.Errorf("%q", got)
	}
}

// A git that hangs, or says too much, or isn't there, is as good as none; one that the
// checkout itself has isn't run.
func TestOddGits(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the programs are shell scripts")
	}
	dir := t.TempDir()
	script := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "git"), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil { //nolint:gosec // it is run
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+"/bin"+string(os.PathListSeparator)+"/usr/bin")
	const line = `printf 'origin\tgit@gitlab.com:g/p.git (fetch)\n'`
	script(line)
	if got := remotes(t.Context(), "."); len(got) != 1 {
		t.Errorf("%q", got)
	}
	script(line + "; exit 1")
	if got := remotes(t.Context(), "."); got != nil {
		t.Errorf("a git that fails: %q", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	script(line + "; sleep 60 & sleep 60")
	if got := remotes(ctx, "."); got != nil {
		t.Errorf("a git that hangs: %q", got)
	}
	script("yes '" + strings.Repeat("x", 99) + "'")
	if got := remotes(t.Context(), "."); got != nil {
		t.Errorf("a git that says too much: %d", len(got))
	}
	script(line)
	t.Chdir(dir)
	for _, path := range []string{"", ".", "nowhere", string(os.PathListSeparator) + "."} {
		t.Setenv("PATH", path)
		if got := remotes(t.Context(), "."); got != nil {
			t.Errorf("PATH=%q: %q", path, got)
		}
	}
}
