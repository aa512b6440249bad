package delivery

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/need"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

const (
	installToken   = "glcbt-64_installer-secret"
	installVersion = "v1.2.3"
	installArchive = "artifetch_v1.2.3_linux_riscv64.tar.gz"
	oldProgram     = "the old program"
	newProgram     = "#!/bin/sh\necho the new program\n"
)

// shelf is a server with a release, which records what clients send.
type shelf struct {
	*httptest.Server
	files map[string]string

	mu           sync.Mutex
	header, seen string // the last JOB-TOKEN; process lists during requests
}

// newShelf serves a release; handle may break it.
func newShelf(t *testing.T, handle func(s *shelf, w http.ResponseWriter, r *http.Request)) *shelf {
	t.Helper()
	archive := programArchive(t)
	s := &shelf{files: map[string]string{
		installArchive: archive,
		"checksums.txt": fmt.Sprintf("%064d  artifetch_v1.2.3_linux_amd64.deb\n%x  bin/linux-riscv64/artifetch\n%x  %s\n",
			1, sha256.Sum256([]byte(newProgram)), sha256.Sum256([]byte(archive)), installArchive),
	}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.header = r.Header.Get("Job-Token")
		s.seen += processList(t)
		s.mu.Unlock()
		if handle != nil {
			handle(s, w, r)
			return
		}
		s.give(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// saw returns the last token and all process lists.
func (s *shelf) saw() (token, processes string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.header, s.seen
}

func (s *shelf) give(w http.ResponseWriter, r *http.Request) {
	content, ok := s.files[strings.TrimPrefix(r.URL.Path, "/release/")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write([]byte(content))
}

func programArchive(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, f := range []struct{ name, content string }{{"LICENSE", "MIT"}, {"artifetch", newProgram}} {
		name := strings.TrimSuffix(installArchive, ".tar.gz") + "/" + f.name
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(f.content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// processList returns the processes that every user can see.
func processList(t *testing.T) string {
	lists, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Error(err)
	}
	var all strings.Builder
	for _, list := range lists {
		if args, err := os.ReadFile(list); err == nil {
			all.WriteString(strings.ReplaceAll(string(args), "\x00", " ") + "\n")
		}
	}
	return all.String()
}

// installer runs install.sh.
type installer struct {
	shell     []string
	tools     string // PATH
	dir, tmp  string
	args, env []string
	started   func(*exec.Cmd)
}

// newInstaller has a shell and only these tools.
func newInstaller(t *testing.T, shell string, tools ...string) *installer {
	t.Helper()
	i := &installer{shell: strings.Fields(shell), tools: t.TempDir(), dir: t.TempDir(), tmp: t.TempDir()}
	tools = append(tools, "uname", "mktemp", "rm", "tar", "gzip", "mkdir", "mv", "cat", "chmod", "grep")
	for _, name := range append(tools, i.shell[0]) {
		_ = os.Symlink(need.Tools(t, name), filepath.Join(i.tools, name))
	}
	if err := os.WriteFile(filepath.Join(i.dir, "artifetch"), []byte(oldProgram), 0o600); err != nil {
		t.Fatal(err)
	}
	i.env = []string{"ARTIFETCH_ARCH=riscv64"}
	return i
}

func (i *installer) run(t *testing.T, url string) (code int, output string) {
	t.Helper()
	args := append(append([]string{}, i.shell[1:]...), filepath.Join(harness.Root, "install.sh"), url)
	cmd := exec.CommandContext(t.Context(), filepath.Join(i.tools, i.shell[0]), append(args, i.args...)...)
	cmd.Env = append([]string{"PATH=" + i.tools, "TMPDIR=" + i.tmp, "HOME=" + i.tmp, "ARTIFETCH_DIR=" + i.dir, "NO_PROXY=*"}, i.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if i.started != nil {
		i.started(cmd)
	}
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode(), out.String()
}

// holds checks that the directory contains only the program, and that no temporary files
// are left.
func (i *installer) holds(t *testing.T, want string) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(i.dir, "artifetch"))
	if err != nil || string(got) != want {
		t.Errorf("%v: the program is %q, want %q", err, got, want)
	}
	for dir, most := range map[string]int{i.dir: 1, i.tmp: 0} {
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) > most {
			t.Errorf("%v: left behind: %v", err, entries)
		}
	}
}

// shellsAndTools are the shells with each of the alternative tools.
var shellsAndTools = []struct {
	name, shell string
	tools       []string
}{
	{"dash, curl, sha256sum", "dash", []string{"curl", "sha256sum"}},
	{"dash, wget, shasum", "dash", []string{"wget", "shasum"}},
	{"dash, curl, openssl", "dash", []string{"curl", "openssl"}},
	{"bash, curl", "bash --posix", []string{"curl", "sha256sum"}},
	{"busybox", "busybox sh", nil},
	{"busybox, curl", "busybox sh", []string{"curl"}},
}

func TestInstall(t *testing.T) {
	t.Parallel()
	for _, tt := range shellsAndTools {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newShelf(t, nil)
			i := newInstaller(t, tt.shell, tt.tools...)
			i.env = append(i.env, fmt.Sprintf("ARTIFETCH_CHECKSUMS_SHA256=%x", sha256.Sum256([]byte(s.files["checksums.txt"]))))
			code, out := i.run(t, s.URL+"/release/")
			if code != 0 || !strings.Contains(out, "artifetch_v1.2.3_linux_riscv64 is installed as "+i.dir+"/artifetch") {
				t.Errorf("%d: %s", code, out)
			}
			i.holds(t, newProgram)
			if info, err := os.Stat(filepath.Join(i.dir, "artifetch")); err != nil || info.Mode() != 0o755 {
				t.Errorf("%v, %v", info.Mode(), err)
			}
		})
	}
}

// If the installation fails, the old program stays, and a message says why.
func TestInstallRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		spoil  func(files map[string]string)
		handle func(*shelf, http.ResponseWriter, *http.Request)
		args   []string
		env    string
		code   int
		want   string
	}{
		{name: "other content", spoil: func(f map[string]string) { f[installArchive] += "x" }, code: 7, want: "but checksums.txt says"},
		{name: "no entry", spoil: func(f map[string]string) { f["checksums.txt"] = "<html>sign in</html>\n" }, code: 7, want: "has no line for version (any) on linux/riscv64"},
		{name: "no digest", spoil: func(f map[string]string) { f["checksums.txt"] = "abc  " + installArchive + "\n" }, code: 7, want: "has no SHA-256 for"},
		{name: "other version", args: []string{"v9.9.9"}, code: 7, want: "no line for version v9.9.9"},
		{name: "two versions", spoil: func(f map[string]string) {
			f["checksums.txt"] += strings.ReplaceAll(f["checksums.txt"], "v1.2.3", "v1.2.4")
		}, code: 2, want: "several versions"},
		{name: "no checksums", spoil: func(f map[string]string) { delete(f, "checksums.txt") }, code: 6, want: "/release/checksums.txt"},
		{name: "no archive", spoil: func(f map[string]string) { delete(f, installArchive) }, code: 6, want: "/release/" + installArchive},
		{name: "truncated", handle: truncate, code: 6, want: "/release/" + installArchive},
		{name: "other checksums", env: "ARTIFETCH_CHECKSUMS_SHA256=" + strings.Repeat("0", 64), code: 7, want: "but ARTIFETCH_CHECKSUMS_SHA256 says"},
		{name: "pin is none", env: "ARTIFETCH_CHECKSUMS_SHA256=abc", code: 2, want: "must be 64 digits"},
		{name: "unknown processor", env: "ARTIFETCH_ARCH=vax", code: 2, want: "artifetch isn't built for linux/vax"},
		{name: "unknown system", env: "ARTIFETCH_OS=plan9", code: 2, want: "artifetch isn't built for plan9/riscv64"},
		{name: "not an archive", spoil: func(f map[string]string) {
			f["checksums.txt"] = fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte("text")), installArchive)
			f[installArchive] = "text"
		}, code: 7, want: "does not contain the program"},
	}
	for _, tt := range tests {
		for _, shell := range []string{"dash", "busybox sh"} {
			t.Run(tt.name+"/"+shell, func(t *testing.T) {
				t.Parallel()
				s := newShelf(t, tt.handle)
				if tt.spoil != nil {
					tt.spoil(s.files)
				}
				i := newInstaller(t, shell)
				if shell == "dash" {
					i = newInstaller(t, shell, "curl", "sha256sum")
				}
				i.args, i.env = tt.args, append(i.env, tt.env)
				code, out := i.run(t, s.URL+"/release")
				if code != tt.code || !strings.Contains(out, tt.want) {
					t.Errorf("code %d, want %d: %s", code, tt.code, out)
				}
				i.holds(t, oldProgram)
			})
		}
	}
}

// truncate sends less than it promises.
func truncate(s *shelf, w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, ".txt") {
		s.give(w, r)
		return
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(s.files[installArchive])))
	_, _ = w.Write([]byte(s.files[installArchive][:40]))
}

func TestInstallUsage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, shell, url, env, want string }{
		{"no address", "dash", "", "", "URL must be an http or https address"},
		{"no web address", "dash", "ftp://example.com", "", "URL must be an http or https address"},
		{"pattern", "dash", "https://example.com/[ab]", "", "must not contain spaces, quotes or wildcards"},
		{"nothing downloads", "dash", "https://example.com", "", "install curl or wget"},
		{"header without curl", "busybox sh", "http://127.0.0.1:1", "ARTIFETCH_INSTALL_HEADER=JOB-TOKEN: " + installToken, "install curl to send a header"},
		{"no certificates", "busybox sh", "https://127.0.0.1:1", "", "does not verify certificates"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			i := newInstaller(t, tt.shell)
			i.env = append(i.env, tt.env)
			if code, out := i.run(t, tt.url); code != 2 || !strings.Contains(out, tt.want) {
				t.Errorf("%d: %s", code, out)
			}
			i.holds(t, oldProgram)
		})
	}
}

// The token only reaches the server: not a redirect's target, the process list or a
// trace.
func TestInstallToken(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "header")
	if err := os.WriteFile(file, []byte("JOB-TOKEN: "+installToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, shell := range []string{"dash -x", "bash --posix -x", "busybox sh -x"} {
		for _, given := range []string{"ARTIFETCH_INSTALL_HEADER=JOB-TOKEN: " + installToken, "ARTIFETCH_INSTALL_HEADER_FILE=" + file} {
			t.Run(shell+"/"+strings.Split(given, "=")[0], func(t *testing.T) {
				t.Parallel()
				store := newShelf(t, nil)
				front := newShelf(t, func(s *shelf, w http.ResponseWriter, r *http.Request) {
					switch {
					case r.Header.Get("Job-Token") != installToken:
						http.NotFound(w, r)
					case strings.HasSuffix(r.URL.Path, ".txt"):
						s.give(w, r)
					default:
						http.Redirect(w, r, store.URL+r.URL.Path+"?signature=secret-signature", http.StatusFound)
					}
				})
				i := newInstaller(t, shell, "curl", "sha256sum")
				i.env = append(i.env, given)
				code, out := i.run(t, front.URL+"/release")
				if code != 0 {
					t.Errorf("%d: %s", code, out)
				}
				i.holds(t, newProgram)
				atFront, seen := front.saw()
				atStore, more := store.saw()
				if atFront != installToken || atStore != "" {
					t.Errorf("the server got %q, what it redirects to %q", atFront, atStore)
				}
				for _, secret := range []string{installToken, "secret-signature"} {
					if strings.Contains(out, secret) {
						t.Errorf("%s is in the trace: %s", secret, out)
					}
					if strings.Contains(seen+more, secret) {
						t.Errorf("%s is in the process list", secret)
					}
				}
				if !strings.Contains(seen, "install.sh "+front.URL) || !strings.Contains(out, "+ main") {
					t.Error("the process list or the trace is not one")
				}
			})
		}
	}
}

// The search in the process list finds a token that is there.
func TestProcessListShowsTokens(t *testing.T) {
	t.Parallel()
	need.Tools(t, "curl")
	s := newShelf(t, nil)
	cmd := exec.CommandContext(t.Context(), "curl", "-sS", "-o", os.DevNull, "-H", "JOB-TOKEN: glcbt-64_control", s.URL)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, seen := s.saw(); !strings.Contains(seen, "glcbt-64_control") {
		t.Error("the token was not seen")
	}
}

// A redirect from https to http is refused.
func TestInstallDowngrade(t *testing.T) {
	t.Parallel()
	plain := newShelf(t, nil)
	secure := httptest.NewUnstartedServer(http.RedirectHandler(plain.URL+"/release/checksums.txt", http.StatusFound))
	secure.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	secure.StartTLS()
	t.Cleanup(secure.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, header := range []string{"", "ARTIFETCH_INSTALL_HEADER=JOB-TOKEN: " + installToken} {
		i := newInstaller(t, "dash", "curl", "sha256sum")
		i.env = append(i.env, header, "CURL_CA_BUNDLE="+ca)
		if code, out := i.run(t, secure.URL); code != 6 || !strings.Contains(out, "not supported or disabled") {
			t.Errorf("%d: %s", code, out)
		}
		i.holds(t, oldProgram)
	}
}

// If the installation is interrupted, it leaves nothing behind.
func TestInstallStopped(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"dash", "busybox sh"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			asked := make(chan struct{})
			s := newShelf(t, func(s *shelf, w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, ".txt") {
					s.give(w, r)
					return
				}
				close(asked)
				<-r.Context().Done()
			})
			i := newInstaller(t, shell, "curl", "sha256sum")
			i.started = func(cmd *exec.Cmd) {
				<-asked
				if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM); err != nil {
					t.Error(err)
				}
			}
			if code, out := i.run(t, s.URL+"/release"); code != 143 {
				t.Errorf("%d: %s", code, out)
			}
			i.holds(t, oldProgram)
		})
	}
}
