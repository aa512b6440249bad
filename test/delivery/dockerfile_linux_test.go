package delivery

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/need"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// lockedDockerfile is the recipe of docs/sync.md.
const lockedDockerfile = `FROM scratch AS artifacts
COPY artifetch /artifetch
WORKDIR /inputs
COPY artifetch.yml artifetch.lock ./
ARG CI_API_V4_URL
RUN --mount=type=secret,id=CI_JOB_TOKEN --mount=type=cache,target=/cache \
    ["/artifetch", "sync", "--locked", "--cache-dir", "/cache"]

FROM scratch
COPY --from=artifacts /inputs/files /
`

// image is a directory to build an image from.
type image struct {
	dir, store, token string
	server            *gitlabtest.Running
}

// The layer changes exactly when the lock file changes, and no layer, history or
// environment contains the token.
func TestLockedDockerfile(t *testing.T) {
	t.Parallel()
	need.Tools(t, "buildah")
	if !strings.Contains(harness.Read(t, "docs/sync.md"), lockedDockerfile) {
		t.Error("docs/sync.md has another recipe")
	}
	i := newImage(t)
	i.sync(t)
	first := i.build(t)
	if !strings.Contains(first, "/jobs/1001/artifacts") {
		t.Errorf("the first build asked for %q", first)
	}
	if again := i.build(t); again != "" {
		t.Errorf("the second build asked for %q, though the lock file is the same", again)
	}
	i.server.Update(func(w *gitlabtest.World) {
		p := w.Projects[0].Pipelines[1]
		p.Jobs = append(p.Jobs, &gitlabtest.Job{ID: 1099, Name: "build", Archive: gitlabtest.Zip(gitlabtest.File{Name: "new.txt", Content: "new"})})
		p.Jobs[0].Retried = true
	})
	i.sync(t, "--update")
	moved := i.build(t)
	if !strings.Contains(moved, "/jobs/1099/artifacts") {
		t.Errorf("with another lock file it asked for %q", moved)
	}
	if !strings.Contains(moved, "/jobs/1002/artifacts -> 304") { // the cache mount has it
		t.Errorf("an archive that hasn't changed was downloaded again: %q", moved)
	}
	i.noSecret(t)
}

func newImage(t *testing.T) *image {
	t.Helper()
	i := &image{dir: t.TempDir(), store: t.TempDir(), token: filepath.Join(t.TempDir(), "token")}
	i.server = gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	t.Cleanup(i.server.Close)
	for path, content := range map[string]string{
		i.token: gitlabtest.JobToken, filepath.Join(i.dir, "Dockerfile"): lockedDockerfile,
		filepath.Join(i.dir, "artifetch.yml"): "version: 1\ndefaults: {project: '1', ref: main}\nsources:\n  - {name: app, job: build, output: files}\n  - {name: report, job: report, output: files/report}\n",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(i.dir, "artifetch"), harness.Root)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return i
}

func (i *image) sync(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(i.dir, "artifetch"), append([]string{"sync", "--locked=false", "--manifest", filepath.Join(i.dir, "artifetch.yml")}, args...)...)
	cmd.Env = append(os.Environ(), "CI_API_V4_URL="+i.server.APIURL, "CI_JOB_TOKEN="+gitlabtest.JobToken)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.RemoveAll(filepath.Join(i.dir, "files")); err != nil {
		t.Fatal(err)
	}
}

// build builds the image and returns the requests to the server.
func (i *image) build(t *testing.T) (asked string) {
	t.Helper()
	i.server.ResetRequests()
	cmd := exec.CommandContext(t.Context(), "buildah", "--storage-driver", "vfs", "--root", i.store+"/root", "--runroot", i.store+"/run",
		"bud", "--isolation", "chroot", "--layers", "--secret", "id=CI_JOB_TOKEN,src="+i.token, "--build-arg", "CI_API_V4_URL="+i.server.APIURL, "-t", "out", i.dir)
	cmd.Env = append(os.Environ(), "TMPDIR="+i.store)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, r := range i.server.Requests() {
		asked += harness.Describe(r) + "\n"
	}
	return asked
}

// noSecret searches everything that the builder has stored for the token.
func (i *image) noSecret(t *testing.T) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(i.store, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(gitlabtest.JobToken)) {
			t.Errorf("%s has the token", strings.TrimPrefix(path, i.store))
		}
		return err
	})
	if err != nil || files < 5 {
		t.Errorf("%d files were looked at, %v", files, err)
	}
}
