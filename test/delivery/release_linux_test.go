package delivery

import (
	"bytes"
	"compress/gzip"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

const (
	releaseVersion = "v1.2.0-rc1-3-gabc1234"
	releaseEpoch   = "1700000000"
	releaseBuilds  = "linux/amd64,linux/arm,darwin/arm64,windows/amd64"
)

// TestRelease makes releases by GoReleaser, and looks into all that they consist of.
func TestRelease(t *testing.T) {
	t.Parallel()
	needsGoReleaser(t)
	first := makeRelease(t, "umask 022")
	t.Run("reproducible", func(t *testing.T) {
		t.Parallel()
		sameTrees(t, first, makeRelease(t, "umask 077; export TZ=Asia/Kolkata LC_ALL=C.UTF-8 GOFLAGS=-buildvcs=auto GOAMD64=v2 GOARM=5 HOSTNAME=other"))
	})
	name := filepath.Join(first, "artifetch_"+releaseVersion+"_")
	t.Run("checksums", func(t *testing.T) { t.Parallel(); checkSums(t, first) })
	t.Run("archives", func(t *testing.T) { t.Parallel(); checkArchives(t, first) })
	t.Run("source", func(t *testing.T) { t.Parallel(); checkSource(t, name+"source.tar.gz") })
	t.Run("static", func(t *testing.T) { t.Parallel(); checkStatic(t, first) })
	t.Run("as built", func(t *testing.T) { t.Parallel(); checkFlags(t, first) })
	t.Run("sbom", func(t *testing.T) { t.Parallel(); checkSBOM(t, name+"linux_amd64.cdx.json") })
	t.Run("deb", func(t *testing.T) { t.Parallel(); checkDeb(t, name+"linux_amd64.deb") })
	t.Run("rpm", func(t *testing.T) { t.Parallel(); checkRPM(t, first) })
	t.Run("apk", func(t *testing.T) { t.Parallel(); checkAPK(t, first) })
	t.Run("install.sh", func(t *testing.T) { t.Parallel(); checkInstaller(t, first) })
	t.Run("install.ps1", func(t *testing.T) { t.Parallel(); checkPowerShell(t, first) })
}

// needsGoReleaser skips what `make test-release` runs: GoReleaser and cosign take minutes to
// build, and so do programs for all platforms.
func needsGoReleaser(t *testing.T) {
	t.Helper()
	if os.Getenv("RELEASE_TESTS") == "" {
		t.Skip("it takes GoReleaser, or cosign; make test-release runs it")
	}
	if runtime.GOARCH != "amd64" {
		t.Skip("it runs programs for amd64")
	}
}

// checkout is a repository with a copy of the project as its only commit, the same one
// wherever it is.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	copyTree(t, dir, ".git", "bin", "dist", ".cache")
	command(t, dir, "sh", "-c", `git init -q -b main && git remote add origin https://gitlab.example.com/group/artifetch.git && git add -A &&
		GIT_AUTHOR_DATE="$1 +0000" GIT_COMMITTER_DATE="$1 +0000" git -c user.name=a -c user.email=a@example.com commit -qm files`, "sh", releaseEpoch)
	return dir
}

// makeRelease makes a release in a new directory.
func makeRelease(t *testing.T, setup string) (dist string) {
	t.Helper()
	dir := checkout(t)
	command(t, "", "sh", "-c", `cd "$1" && `+setup+` && make -s release GORELEASER="$GORELEASER" VERSION="$2" SOURCE_DATE_EPOCH="$3" RELEASE_PLATFORMS="$4"`,
		"sh", dir, releaseVersion, releaseEpoch, releaseBuilds)
	return filepath.Join(dir, "dist")
}

// copyTree copies the project.
func copyTree(t *testing.T, to string, without ...string) {
	t.Helper()
	project := os.DirFS(harness.Root)
	err := fs.WalkDir(project, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains(without, path) {
			return filepath.SkipDir
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, path), 0o755)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		content, err := fs.ReadFile(project, path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, path), content, 0o755)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// command runs a program that must exist and succeed.
func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
	return string(out)
}

// tree returns all files below dir.
func tree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		all[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func sameTrees(t *testing.T, a, b string) {
	t.Helper()
	first, second := tree(t, a), tree(t, b)
	// A program, an archive and a list of contents each; three packages on Linux; the
	// source, the installers and the checksums.
	if want := 4*3 + 2*3 + 4; len(first) != want || len(second) != want {
		t.Errorf("%d and %d files, want %d", len(first), len(second), want)
	}
	for name, content := range first {
		if !bytes.Equal(content, second[name]) {
			t.Errorf("%s differs", name)
		}
		one, err := os.Stat(filepath.Join(a, name))
		two, err2 := os.Stat(filepath.Join(b, name))
		if err != nil || err2 != nil || one.Mode() != two.Mode() {
			t.Errorf("%s: %v, %v: other modes", name, err, err2)
		}
	}
}

// checkSums has every file in checksums.txt but the plain programs, and sha256sum agrees.
func checkSums(t *testing.T, dist string) {
	out := command(t, dist, "sha256sum", "--check", "--strict", "checksums.txt")
	if got, want := strings.Count(out, ": OK\n"), len(tree(t, dist))-len(tree(t, filepath.Join(dist, "bin")))-1; got != want {
		t.Errorf("%d files have a checksum, want %d: %s", got, want, out)
	}
}

// checkArchives checks that all archives have the same files, without owners and with the
// same time.
func checkArchives(t *testing.T, dist string) {
	for _, ending := range []string{"linux_arm.tar.gz", "darwin_arm64.tar.gz", "windows_amd64.zip"} {
		dir := strings.SplitN("artifetch_"+releaseVersion+"_"+ending, ".tar", 2)[0]
		dir = strings.TrimSuffix(dir, ".zip")
		path := filepath.Join(dist, "artifetch_"+releaseVersion+"_"+ending)
		var names []string
		for line := range strings.Lines(command(t, "", "env", "TZ=UTC", "bsdtar", "--numeric-owner", "-tvf", path)) {
			f := strings.Fields(line)
			name := strings.TrimPrefix(f[8], dir+"/")
			names = append(names, name)
			mode := "-rw-r--r--"
			if strings.HasPrefix(name, "artifetch") {
				mode = "-rwxr-xr-x"
			}
			owner := "0 0"
			if strings.HasSuffix(ending, ".zip") {
				owner = f[2] + " " + f[3] // which a zip doesn't have
			}
			if got := strings.Join([]string{f[0], f[2], f[3], f[5], f[6], f[7]}, " "); got != mode+" "+owner+" Nov 14 2023" {
				t.Errorf("%s: %s", ending, line)
			}
		}
		program := "artifetch"
		if ending == "windows_amd64.zip" {
			program += ".exe"
		}
		slices.Sort(names)
		want := []string{"LICENSE", "LICENSES.txt", "README.md", program, "completions/_artifetch", "completions/artifetch.bash", "completions/artifetch.fish", "completions/artifetch.ps1", "man/artifetch.1"}
		if !slices.Equal(names, want) {
			t.Errorf("%s holds %v", ending, names)
		}
		if strings.HasSuffix(ending, ".gz") {
			checkGzip(t, path)
			checkLicences(t, path)
		}
	}
}

// checkLicences checks for the licenses of the program's modules.
func checkLicences(t *testing.T, path string) {
	t.Helper()
	texts := command(t, "", "tar", "-xzOf", path, "--wildcards", "*/LICENSES.txt")
	dir := t.TempDir()
	command(t, dir, "tar", "-xzf", absolute(t, path), "--strip-components", "1")
	info, err := buildinfo.ReadFile(filepath.Join(dir, "artifetch"))
	if err != nil {
		t.Fatal(err)
	}
	if len(info.Deps) < 20 {
		t.Errorf("%d modules", len(info.Deps))
	}
	for _, dep := range info.Deps {
		if !strings.Contains(texts, "\n"+dep.Path+" "+dep.Version+": ") && !strings.HasPrefix(texts, dep.Path+" "+dep.Version+": ") {
			t.Errorf("%s: no licence of %s", path, dep.Path)
		}
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func checkGzip(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil || z.Name != "" || z.Comment != "" || z.Extra != nil || !z.ModTime.Equal(time.Time{}) || z.OS != 255 {
		t.Errorf("%s: %+v, %v", path, z.Header, err)
	}
}

// checkSource builds nothing: the archive has what the commit has.
func checkSource(t *testing.T, path string) {
	names := command(t, "", "tar", "-tzf", path)
	for _, want := range []string{"go.mod", "main.go", "LICENSE", ".goreleaser.yaml"} {
		if !strings.Contains(names, "artifetch-"+releaseVersion+"/"+want+"\n") {
			t.Errorf("%s has no %s", path, want)
		}
	}
}

// checkFlags wants the very program that `make programs` makes for images, and so the
// flags of `make build`.
func checkFlags(t *testing.T, dist string) {
	want, err := os.ReadFile(filepath.Join(dist, "bin/linux-amd64/artifetch"))
	if err != nil {
		t.Fatal(err)
	}
	again := t.TempDir()
	copyTree(t, again, ".git", "bin", "dist", ".cache")
	command(t, again, "make", "-s", "programs", "VERSION="+releaseVersion, "IMAGE_ARCHS=amd64")
	got, err := os.ReadFile(filepath.Join(again, "dist/bin/linux-amd64/artifetch"))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v: make programs makes another program than make release", err)
	}
	if len(want) > 14<<20 {
		t.Errorf("the program has %d bytes", len(want))
	}
}

func checkStatic(t *testing.T, dist string) {
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm": elf.EM_ARM} {
		f, err := elf.Open(filepath.Join(dist, "bin/linux-"+arch+"/artifetch"))
		if err != nil {
			t.Fatal(err)
		}
		if libraries, err := f.ImportedLibraries(); err != nil || len(libraries) > 0 || f.Machine != machine {
			t.Errorf("%s: for %v, with %v, %v", arch, f.Machine, libraries, err)
		}
		if f.Section(".interp") != nil || f.Section(".symtab") != nil {
			t.Errorf("%s is not static, or not stripped", arch)
		}
		_ = f.Close()
	}
	if out := command(t, "", filepath.Join(dist, "bin/linux-amd64/artifetch"), "--version"); !strings.HasPrefix(out, "artifetch "+releaseVersion+" ") {
		t.Error(out)
	}
}

// checkSBOM compares the SBOM with Go's information about the program.
func checkSBOM(t *testing.T, path string) {
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b struct {
		BOMFormat, SpecVersion string
		SerialNumber           *string
		Metadata               struct {
			Timestamp *string
			Component struct{ Name, Version string }
		}
		Components []struct{ Name, Version, PURL string }
	}
	if err := json.Unmarshal(content, &b); err != nil {
		t.Fatal(err)
	}
	if b.BOMFormat != "CycloneDX" || b.SpecVersion != "1.6" || b.SerialNumber != nil || b.Metadata.Timestamp != nil || b.Metadata.Component.Version != releaseVersion {
		t.Errorf("%+v", b)
	}
	var got, want []string
	for _, c := range b.Components {
		if c.Name != "std" {
			got = append(got, c.Name+" "+c.Version)
		}
	}
	program := filepath.Join(filepath.Dir(path), "bin/linux-amd64/artifetch")
	for line := range strings.Lines(command(t, "", "go", "version", "-m", program)) {
		if f := strings.Fields(line); f[0] == "dep" {
			want = append(want, f[1]+" "+f[2])
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || len(want) < 10 {
		t.Errorf("got %v, want %v", got, want)
	}
}

// checkDeb installs the package into a directory, runs it, and removes it again.
func checkDeb(t *testing.T, path string) {
	if got, want := command(t, "", "dpkg-deb", "-f", path, "Package", "Version", "Architecture"), "Package: artifetch\nVersion: 1.2.0~rc1\nArchitecture: amd64\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	root := t.TempDir()
	for _, dir := range []string{"info", "updates"} {
		if err := os.MkdirAll(filepath.Join(root, "var/lib/dpkg", dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dpkg := func(args ...string) {
		command(t, "", "dpkg", append([]string{"--root=" + root, "--force-not-root"}, args...)...)
	}
	dpkg("-i", path)
	if out := command(t, "", filepath.Join(root, "usr/bin/artifetch"), "--version"); !strings.HasPrefix(out, "artifetch "+releaseVersion) {
		t.Error(out)
	}
	checkPage(t, filepath.Join(root, "usr/share/man/man1/artifetch.1.gz"))
	for file, want := range map[string]string{
		"usr/share/bash-completion/completions/artifetch":    "complete -F _artifetch artifetch",
		"usr/share/zsh/vendor-completions/_artifetch":        "#compdef artifetch",
		"usr/share/fish/vendor_completions.d/artifetch.fish": "complete -c artifetch",
		"usr/share/doc/artifetch/copyright":                  "MIT License",
	} {
		if content, err := os.ReadFile(filepath.Join(root, file)); err != nil || !strings.Contains(string(content), want) {
			t.Errorf("%s: %v: %q", file, err, content)
		}
	}
	dpkg("--remove", "artifetch")
	if _, err := os.Stat(filepath.Join(root, "usr")); err == nil {
		t.Error("something is left of the package")
	}
}

// checkPage lets man format the page.
func checkPage(t *testing.T, path string) {
	t.Helper()
	page := command(t, "", "env", "MANWIDTH=80", "man", "-P", "cat", "-l", path)
	for _, want := range []string{"ARTIFETCH(1)", "artifetch fetch", "EXIT STATUS"} {
		if !strings.Contains(page, want) {
			t.Errorf("the man page has no %q", want)
		}
	}
}

func checkRPM(t *testing.T, dist string) {
	path := filepath.Join(dist, "artifetch_"+releaseVersion+"_linux_arm.rpm")
	if got := command(t, "", "rpm", "-qp", "--qf", "%{NAME} %{VERSION} %{ARCH} %{LICENSE} %{BUILDHOST} %{BUILDTIME}", path); got != "artifetch 1.2.0~rc1 armv7hl MIT localhost "+releaseEpoch {
		t.Error(got)
	}
	if out := command(t, "", "rpm", "-K", "--nosignature", path); !strings.Contains(out, "digests OK") {
		t.Error(out)
	}
	checkUnpacked(t, dist, path)
}

func checkAPK(t *testing.T, dist string) {
	path := filepath.Join(dist, "artifetch_"+releaseVersion+"_linux_arm.apk")
	info := command(t, "", "bsdtar", "-xOf", path, ".PKGINFO")
	for _, want := range []string{"pkgname = artifetch\n", "pkgver = 1.2.0_rc1\n", "arch = armv7\n", "license = MIT\n"} {
		if !strings.Contains(info, want) {
			t.Errorf("no %q in %s", want, info)
		}
	}
	checkUnpacked(t, dist, path)
}

// checkUnpacked checks the content of a package for linux/arm.
func checkUnpacked(t *testing.T, dist, path string) {
	t.Helper()
	root := t.TempDir()
	command(t, root, "bsdtar", "-xf", path)
	want, err := os.ReadFile(filepath.Join(dist, "bin/linux-arm/artifetch"))
	if err != nil {
		t.Fatal(err)
	}
	files := tree(t, root)
	if !bytes.Equal(files["usr/bin/artifetch"], want) {
		t.Error("the package holds another program")
	}
	if info, err := os.Stat(filepath.Join(root, "usr/bin/artifetch")); err != nil || info.Mode() != 0o755 {
		t.Errorf("%v, %v", info, err)
	}
	checkPage(t, filepath.Join(root, "usr/share/man/man1/artifetch.1.gz"))
	for _, name := range []string{"usr/share/bash-completion/completions/artifetch", "usr/share/zsh/site-functions/_artifetch", "usr/share/fish/vendor_completions.d/artifetch.fish", "usr/share/licenses/artifetch/LICENSE"} {
		if len(files[name]) == 0 {
			t.Errorf("the package has no %s", name)
		}
	}
}

// checkInstaller installs the release for this machine.
func checkInstaller(t *testing.T, dist string) {
	s := httptest.NewServer(http.FileServer(http.Dir(dist)))
	t.Cleanup(s.Close)
	i := newInstaller(t, "dash", "curl", "sha256sum")
	i.env, i.args = nil, []string{releaseVersion}
	if code, out := i.run(t, s.URL); code != 0 {
		t.Errorf("%d: %s", code, out)
	}
	if out := command(t, "", filepath.Join(i.dir, "artifetch"), "--version"); !strings.HasPrefix(out, "artifetch "+releaseVersion+" ") {
		t.Error(out)
	}
}
