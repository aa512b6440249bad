package delivery

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/need"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// imageVersion is the version in the recipes of README.md and the docs: `make version`
// changes all of them.
const (
	imageVersion = "v1.0.0"
	imageEpoch   = "1700000000"
)

// Recipes in addition to those in README.md and docs/delivery.md.
const (
	// The fewest possible stages: the first stage's base is the program's image.
	fromDockerfile = `FROM registry.example.com/group/artifetch:v1.0.0 AS artifacts
USER 0
ARG CI_API_V4_URL CI_PROJECT_ID
RUN --mount=type=secret,id=CI_JOB_TOKEN ["/artifetch", "fetch", "--ref", "main", "--job", "build", "--output", "/files"]
FROM scratch
COPY --from=artifacts /files /
`
	// Three mistakes that leak the token, to check that the search finds them.
	leakingEnv = `FROM registry.example.com/group/artifetch:v1.0.0-shell
ARG CI_JOB_TOKEN
ENV CI_JOB_TOKEN=$CI_JOB_TOKEN
`
	leakingHistory = `FROM registry.example.com/group/artifetch:v1.0.0-shell
ARG CI_JOB_TOKEN
RUN test -n "$CI_JOB_TOKEN"
`
	leakingLayer = `FROM registry.example.com/group/artifetch:v1.0.0-shell
RUN --mount=type=secret,id=CI_JOB_TOKEN cp /run/secrets/CI_JOB_TOKEN /token
`
)

// builder is buildah with its own storage.
type builder struct{ store string }

func newBuilder(t *testing.T) *builder {
	t.Helper()
	need.Tools(t, "buildah", "busybox", "make")
	return &builder{store: t.TempDir()}
}

func (b *builder) flags() []string {
	return []string{"--storage-driver", "vfs", "--root", b.store + "/root", "--runroot", b.store + "/run"}
}

// run runs buildah and returns its standard output.
func (b *builder) run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "buildah", append(b.flags(), args...)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+b.store)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("buildah %v: %v: %s%s", args, err, out, errs.String())
	}
	return strings.TrimSpace(string(out))
}

// images builds the images from a tree, as make images does.
func (b *builder) images(t *testing.T, dir, archs, targets string) {
	t.Helper()
	command(t, dir, "env", "TMPDIR="+b.store, "IMAGE_TARGETS="+targets, "REVISION=0123456789abcdef", "SHELL_BASE=rootfs",
		"BUILD_FLAGS=--isolation chroot", "BUILDAH=buildah "+strings.Join(b.flags(), " "),
		"make", "-s", "images", "VERSION="+imageVersion, "SOURCE_DATE_EPOCH="+imageEpoch, "IMAGE=registry.example.com/group/artifetch",
		"IMAGE_ARCHS="+archs, "SOURCE=https://gitlab.example.com/group/artifetch")
}

// id identifies an image in a list by its configuration's digest.
func (b *builder) id(t *testing.T, name, arch string) string {
	t.Helper()
	var list struct {
		Manifests []struct {
			Digest   string
			Platform struct{ Architecture string }
		}
	}
	if err := json.Unmarshal([]byte(b.run(t, "manifest", "inspect", name)), &list); err != nil {
		t.Fatal(err)
	}
	for _, m := range list.Manifests {
		if m.Platform.Architecture == arch {
			return m.Digest
		}
	}
	t.Fatalf("%s has no image for %s: %+v", name, arch, list)
	return ""
}

// delivered returns a tree with the files that make release puts into dist/, and the root
// directory of the image with a shell.
func delivered(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	copyTree(t, dir, ".git", "bin", "dist", ".cache")
	for _, arch := range []string{"amd64", "arm64"} {
		build := exec.CommandContext(t.Context(), "make", "-s", "build", "VERSION="+imageVersion, "BIN="+filepath.Join(dir, "dist/bin/linux-"+arch+"/artifetch"))
		build.Dir, build.Env = harness.Root, append(os.Environ(), "GOARCH="+arch)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	command(t, dir, "make", "-s", "image-rootfs", "IMAGE_ARCHS=amd64", "VERSION="+imageVersion, "SOURCE_DATE_EPOCH="+imageEpoch)
	// Other files in dist/ don't get into an image.
	if err := os.WriteFile(filepath.Join(dir, "dist/checksums.txt"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

const imageName = "registry.example.com/group/artifetch:" + imageVersion

func TestImages(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" {
		t.Skip("it runs programs for amd64")
	}
	b := newBuilder(t)
	dir := delivered(t)
	b.images(t, dir, "amd64 arm64", "scratch")
	b.images(t, dir, "amd64", "shell")
	t.Run("configuration", func(t *testing.T) { checkConfiguration(t, b) })
	t.Run("scratch", func(t *testing.T) { checkScratch(t, b) })
	t.Run("shell", func(t *testing.T) { checkShell(t, b) })
	t.Run("again", func(t *testing.T) {
		// With another builder, another directory and other file times.
		other, dir := newBuilder(t), delivered(t)
		other.images(t, dir, "amd64 arm64", "scratch")
		other.images(t, dir, "amd64", "shell")
		for _, image := range [][2]string{{imageName, "amd64"}, {imageName, "arm64"}, {imageName + "-shell", "amd64"}} {
			if one, two := b.id(t, image[0], image[1]), other.id(t, image[0], image[1]); one != two {
				t.Errorf("%v: %s and %s", image, one, two)
			}
		}
	})
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	t.Cleanup(s.Close)
	t.Run("job", func(t *testing.T) { checkJob(t, b, s) })
	t.Run("dockerfile", func(t *testing.T) { checkDockerfiles(t, b, s) })
}

// imageConfig is the part of an image's configuration that tests check.
type imageConfig struct {
	Architecture, OS, Created string
	Config                    struct {
		User            string
		Env             []string
		Entrypoint, Cmd []string
		Labels          map[string]string
	}
	History []struct{ Created string }
	RootFS  struct {
		DiffIDs []string `json:"diff_ids"`
	}
}

func (b *builder) config(t *testing.T, name, arch string) imageConfig {
	t.Helper()
	var c struct{ OCIv1 imageConfig }
	image := b.run(t, "from", "--arch", arch, "--pull-never", name)
	if err := json.Unmarshal([]byte(b.run(t, "inspect", image)), &c); err != nil {
		t.Fatal(err)
	}
	return c.OCIv1
}

func checkConfiguration(t *testing.T, b *builder) {
	for _, tt := range []struct {
		name, arch, user, about string
		entrypoint, cmd         []string
		layers                  int
	}{
		{imageName, "amd64", "65534:65534", "fetches the artifacts of GitLab CI jobs", []string{"/artifetch"}, nil, 1},
		{imageName, "arm64", "65534:65534", "fetches the artifacts of GitLab CI jobs", []string{"/artifetch"}, nil, 1},
		{imageName + "-shell", "amd64", "", "fetches the artifacts of GitLab CI jobs; with a shell", nil, []string{"sh"}, 2},
	} {
		c := b.config(t, tt.name, tt.arch)
		if c.Architecture != tt.arch || c.OS != "linux" || c.Config.User != tt.user || len(c.RootFS.DiffIDs) != tt.layers {
			t.Errorf("%s: %+v", tt.name, c)
		}
		if !slices.Equal(c.Config.Entrypoint, tt.entrypoint) || !slices.Equal(c.Config.Cmd, tt.cmd) {
			t.Errorf("%s starts %q %q", tt.name, c.Config.Entrypoint, c.Config.Cmd)
		}
		const at = "2023-11-14T22:13:20Z"
		want := map[string]string{"title": "artifetch", "description": tt.about, "source": "https://gitlab.example.com/group/artifetch", "version": imageVersion, "revision": "0123456789abcdef", "licenses": "MIT", "created": at}
		for key, value := range want {
			if got := c.Config.Labels["org.opencontainers.image."+key]; got != value {
				t.Errorf("%s: %s is %q, want %q", tt.name, key, got, value)
			}
		}
		if len(c.Config.Labels) != len(want) || c.Created != at {
			t.Errorf("%s: %v, %s", tt.name, c.Config.Labels, c.Created)
		}
	}
}

func checkScratch(t *testing.T, b *builder) {
	c := b.run(t, "from", "--arch", "amd64", "--pull-never", imageName)
	if out := b.run(t, "run", "--isolation", "chroot", c, "--", "/artifetch", "--version"); !strings.HasPrefix(out, "artifetch "+imageVersion+" ") {
		t.Error(out)
	}
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		c := b.run(t, "from", "--arch", arch, "--pull-never", imageName)
		program, err := elf.Open(filepath.Join(b.run(t, "mount", c), "artifetch"))
		if err != nil {
			t.Fatal(err)
		}
		if program.Machine != machine {
			t.Errorf("%s has a program for %v", arch, program.Machine)
		}
		_ = program.Close()
		files := b.files(t, b.id(t, imageName, arch))
		if !slices.Equal(files, []string{"-rwxr-xr-x 0 0 artifetch"}) {
			t.Errorf("%s holds %q", arch, files)
		}
	}
}

// files lists the files in an image's layers.
func (b *builder) files(t *testing.T, id string) []string {
	t.Helper()
	var list []string
	for _, layer := range b.blobs(t, imageName+"@"+id) {
		for line := range strings.Lines(layer) {
			f := strings.Fields(line)
			list = append(list, strings.Join([]string{f[0], f[2], f[3], f[8]}, " "))
		}
	}
	return list
}

// blobs lists each layer of an image.
func (b *builder) blobs(t *testing.T, image string) []string {
	t.Helper()
	dir := t.TempDir()
	b.run(t, "push", "--disable-compression", image, "dir:"+dir)
	var manifest struct{ Layers []struct{ Digest string } }
	content, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(content, &manifest)
	}
	if err != nil || len(manifest.Layers) == 0 {
		t.Fatalf("%v: %s", err, content)
	}
	var lists []string
	for _, l := range manifest.Layers {
		lists = append(lists, command(t, dir, "bsdtar", "--numeric-owner", "-tvf", strings.TrimPrefix(l.Digest, "sha256:")))
	}
	return lists
}

func checkShell(t *testing.T, b *builder) {
	c := b.run(t, "from", "--pull-never", imageName+"-shell")
	for _, tt := range []struct{ user, script, want string }{
		{"0", "artifetch --version | cut -d' ' -f2", imageVersion},
		{"0", "id -un; echo $HOME; stat -c '%a %U' /tmp /root", "root\n/root\n1777 root\n700 root"},
		{"65534", "id -un; touch /tmp/x && ls -l /tmp/x | cut -c1-10; touch /x 2>/dev/null || echo refused", "nobody\n-rw-r--r--\nrefused"},
		{"65534", "artifetch --version | awk '{print $2}'; mkdir -p /tmp/a/b; tar -cf /tmp/t -C /tmp a && tar -tf /tmp/t | sed s/b/c/; ls -l /bin/sh | sed 's/.*-> //'", imageVersion + "\na/\na/c/\n/bin/busybox"},
	} {
		if got := b.run(t, "run", "--isolation", "chroot", "--user", tt.user, c, "--", "sh", "-c", tt.script); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.script, got, tt.want)
		}
	}
}

// checkJob runs a job's script as a runner does: in whatever shell exists.
func checkJob(t *testing.T, b *builder, s *gitlabtest.Running) {
	c := b.run(t, "from", "--pull-never", imageName+"-shell")
	script := `set -eo pipefail
set +o noclobber
: | eval $'export CI_PROJECT_DIR=/builds/group/app\nmkdir -p "$CI_PROJECT_DIR"\ncd "$CI_PROJECT_DIR"\necho $\'$ artifetch fetch\'\nartifetch fetch --ref main --job build\ncat job.txt'
`
	cmd := exec.CommandContext(t.Context(), "buildah", append(b.flags(), "run", "--isolation", "chroot",
		"--env", "CI_API_V4_URL="+s.APIURL, "--env", "CI_PROJECT_ID=1", "--env", "CI_JOB_TOKEN="+gitlabtest.JobToken, c, "--",
		"sh", "-c", "if [ -x /usr/local/bin/bash ]; then\n\texec /usr/local/bin/bash\nelif [ -x /usr/bin/bash ]; then\n\texec /usr/bin/bash\nelif [ -x /bin/bash ]; then\n\texec /bin/bash\nelif [ -x /usr/local/bin/sh ]; then\n\texec /usr/local/bin/sh\nelif [ -x /usr/bin/sh ]; then\n\texec /usr/bin/sh\nelif [ -x /bin/sh ]; then\n\texec /bin/sh\nelif [ -x /busybox/sh ]; then\n\texec /busybox/sh\nelse\n\techo shell not found\n\texit 1\nfi\n")...)
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "$ artifetch fetch\n") || !strings.Contains(string(out), "build 1001") {
		t.Errorf("%v: %s", err, out)
	}
	b.run(t, "rm", c) // its environment had the token
}

// checkDockerfiles builds images from the images: the files are right, and the token is
// neither in the result nor in the builder's storage.
func checkDockerfiles(t *testing.T, b *builder, s *gitlabtest.Running) {
	b.run(t, "tag", imageName+"-shell", "docker.io/library/busybox:latest") // there is no registry
	recipes := map[string]string{"from": fromDockerfile}
	for _, d := range docBlocks(t, "README.md", "docs/delivery.md") {
		if d.lang == "dockerfile" {
			recipes[fmt.Sprintf("%s-%d", strings.ToLower(filepath.Base(d.file)), d.line)] = d.text
		}
	}
	if len(recipes) != 4 {
		t.Errorf("%d recipes", len(recipes))
	}
	for name, content := range recipes {
		s.ResetRequests()
		b.build(t, s, name, content)
		if len(s.Requests()) == 0 {
			t.Errorf("%s: nothing was asked of the server", name)
		}
		c := b.run(t, "from", "--pull-never", name)
		if content, err := os.ReadFile(filepath.Join(b.run(t, "mount", c), "job.txt")); err != nil || !strings.HasPrefix(string(content), "build 1001") {
			t.Errorf("%s: %v: %q", name, err, content)
		}
		if found := b.search(t, name); len(found) > 0 {
			t.Errorf("%s: the token is in %v", name, found)
		}
	}
	for name, tt := range map[string]struct{ content, where string }{
		"leaking-env": {leakingEnv, "config"}, "leaking-history": {leakingHistory, "config"}, "leaking-layer": {leakingLayer, "layer"},
	} {
		b.build(t, s, name, tt.content, "--build-arg", "CI_JOB_TOKEN="+gitlabtest.JobToken)
		found := b.search(t, name)
		if !slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, tt.where) }) || !slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, "store") }) {
			t.Errorf("%s: the token was found in %v alone", name, found)
		}
		b.run(t, "rmi", "--force", name)
		if found := b.search(t, ""); len(found) > 0 {
			t.Fatalf("%s: cannot be removed: %v", name, found)
		}
	}
}

func (b *builder) build(t *testing.T, s *gitlabtest.Running, name, dockerfile string, args ...string) {
	t.Helper()
	dir := t.TempDir()
	token := filepath.Join(t.TempDir(), "token")
	for path, content := range map[string]string{token: gitlabtest.JobToken, filepath.Join(dir, "Dockerfile"): dockerfile} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.run(t, slices.Concat([]string{"bud", "--isolation", "chroot", "--layers", "--pull-never", "--secret", "id=CI_JOB_TOKEN,src=" + token,
		"--build-arg", "CI_API_V4_URL=" + s.APIURL, "--build-arg", "CI_PROJECT_ID=1"}, args, []string{"-t", name, dir})...)
}

// search returns the places that contain the token: the image's configuration with its
// history and environment, a layer, or anything in the builder's storage.
func (b *builder) search(t *testing.T, image string) []string {
	t.Helper()
	var found []string
	look := func(kind, dir string) {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			content, err := os.ReadFile(path)
			if bytes.Contains(content, []byte(gitlabtest.JobToken)) {
				what := kind
				if kind == "" && json.Valid(content) {
					what = "config"
				} else if kind == "" {
					what = "layer"
				}
				found = append(found, what+" "+strings.TrimPrefix(path, dir))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if image != "" {
		dir := t.TempDir()
		b.run(t, "push", "--disable-compression", image, "dir:"+dir)
		look("", dir)
	}
	look("store", b.store)
	return found
}
