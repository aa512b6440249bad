package delivery

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"gitlab.com/artifetch/artifetch/internal/need"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// script runs a script of release/ in a directory.
func script(t *testing.T, dir string, env []string, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// One command makes what is unreleased a version, and everything that names the last one
// names this one.
func TestVersion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	copyTree(t, dir, ".git", "bin", "dist", ".cache", "internal", "testdata", "test")
	file := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	has := func(name string, want ...string) {
		t.Helper()
		content, err := os.ReadFile(filepath.Join(dir, name))
		for _, w := range want {
			if err != nil || !strings.Contains(string(content), w) {
				t.Errorf("%v: %s has no %q", err, name, w)
			}
		}
	}
	release := func(version string) (string, error) {
		return script(t, dir, []string{"VERSION=" + version, "TODAY=2026-11-22", "GIT_CEILING_DIRECTORIES=" + filepath.Dir(dir)}, "release/version.sh")
	}
	const page = "artifetch/#` and \".../#\"\nimage: registry.gitlab.com/artifetch/artifetch:%-shell, artifetch_%_linux_amd64.tar.gz\n%, and go v1.0.01, rev1.0.0 and %.\n"
	of := func(version string) string { return strings.NewReplacer("%", version, "#", version[1:]).Replace(page) }
	file("docs/channels.md", "Nothing is published yet. "+of("v1.0.0"))
	for _, tt := range []struct{ version, changelog, want string }{
		{"v1.0.0", "# Changelog\n\n## Unreleased\n\n- one\n", "# Changelog\n\n## Unreleased\n\n## v1.0.0 (2026-11-22)\n\n- one\n"},
		{"v1.1.0-rc1", "## Unreleased\n\n- two\n\n## v1.0.0 (2026-11-22)\n\n- one\n", "## Unreleased\n\n## v1.1.0-rc1 (2026-11-22)\n\n- two\n\n## v1.0.0 (2026-11-22)\n\n- one\n"},
		{"v1.10.0", "## Unreleased\n\n- three\n", "## Unreleased\n\n## v1.10.0 (2026-11-22)\n\n- three\n"},
		// The section of a version without a tag isn't finished.
		{"v1.11.0", "Text.\n\n## Unreleased\n\n- five\n  more\n\n## v1.11.0 (2026-11-20)\n\n- four\n\n## v1.10.0\n\n- three\n", "Text.\n\n## Unreleased\n\n## v1.11.0 (2026-11-22)\n\n- four\n- five\n  more\n\n## v1.10.0\n\n- three\n"},
		{"v1.12.0", "## Unreleased\n\n## v1.12.0\n\n- five\n\n## v1.11.0\n\n- four\n", "## Unreleased\n\n## v1.12.0 (2026-11-22)\n\n- five\n\n## v1.11.0\n\n- four\n"},
	} {
		file("CHANGELOG.md", tt.changelog)
		if out, err := release(tt.version); err != nil || !strings.Contains(out, "git tag -s "+tt.version) {
			t.Fatalf("%v: %s", err, out)
		}
		if got := readFile(t, filepath.Join(dir, "CHANGELOG.md")); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.version, got, tt.want)
		}
		if got := readFile(t, filepath.Join(dir, "docs/channels.md")); got != of(tt.version) {
			t.Errorf("%s: %q", tt.version, got)
		}
		if strings.Contains(readFile(t, filepath.Join(dir, "README.md")), "published yet") {
			t.Error("README.md still says that nothing is published")
		}
		has("channels/mise.toml", `"gitlab:artifetch/artifetch" = "`+tt.version[1:]+"\"\n")
		for _, name := range []string{"templates/fetch.yml", "templates/sync.yml"} {
			has(name, "default: registry.gitlab.com/artifetch/artifetch:"+tt.version+"-shell\n")
		}
	}
	for _, tt := range []struct{ version, changelog, want string }{
		{"1.2.0", "## Unreleased\n\n- one\n", "isn't a version"},
		{"v1.2.0-rc.1", "## Unreleased\n\n- one\n", "isn't a version"}, // apk has no such versions
		{"v1.2.0", "## Unreleased\n\n- one\n\n## v1.3.0 (2026-11-22)\n\n- two\n\n## v1.2.0 (2026-11-22)\n", "has v1.2.0 already, and newer versions"},
		{"v1.2.0", "## v1.2.0\n\n- one\n", "no section \"Unreleased\""},
		{"v1.2.0", "## Unreleased\n\n## v1.1.0 (2026-11-22)\n\n- one\n", "nothing that is unreleased"},
	} {
		file("CHANGELOG.md", tt.changelog)
		if out, err := release(tt.version); err == nil || !strings.Contains(out, tt.want) {
			t.Errorf("%s: %v: %s", tt.version, err, out)
		}
		has("CHANGELOG.md", tt.changelog)
	}
	command(t, dir, "sh", "-c", "git init -q && git -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m tagged && git tag v1.2.0")
	file("CHANGELOG.md", "## Unreleased\n\n- one\n\n## v1.2.0\n\n- two\n")
	if out, err := release("v1.2.0"); err == nil || !strings.Contains(out, "there is a tag v1.2.0 already") {
		t.Errorf("%v: %s", err, out)
	}
}

// The notes of a release are the section of its version, and nothing else.
func TestNotes(t *testing.T) {
	t.Parallel()
	changelog := filepath.Join(t.TempDir(), "CHANGELOG.md")
	if err := os.WriteFile(changelog, []byte("# Changelog\n\nText.\n\n## Unreleased\n\n## v1.10.0 (2026-11-22)\n\n- ten\n\n## v1.1.0-rc1\n\n- candidate\n\n## v1.1.0\n\n- one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]string{"v1.10.0": "\n- ten\n", "v1.1.0": "\n- one\n", "v1.0": "no section", "Unreleased": "no section"} {
		out, err := script(t, harness.Root, []string{"CHANGELOG=" + changelog}, "release/notes.sh", version)
		if (err != nil) != (want == "no section") || err == nil && out != want || !strings.Contains(out, want) {
			t.Errorf("%s: %v: %s", version, err, out)
		}
	}
}

// Versions of packages are valid for dpkg, rpm and apk, and sort as the commits do.
func TestPackageVersions(t *testing.T) {
	t.Parallel()
	need.Tools(t, "dpkg")
	last := "0~"
	for _, tt := range []struct{ version, want string }{
		{"7e998c3-dirty", "0.0.0-alpha20231114221320"},
		{"v1.2.0-alpha1", "1.2.0-alpha1"},
		{"v1.2.0-rc1", "1.2.0-rc1"},
		{"v1.2.0-rc1-3-gabc1234", "1.2.0-rc1"},
		{"v1.2.0", "1.2.0"},
		{"v1.2.0-dirty", "1.2.0"},
		{"v1.2.0-3-gabc1234", "1.2.1-alpha3"},
		{"v1.2.0-12-gabc1234-dirty", "1.2.1-alpha12"},
		{"v1.2.1-rc1", "1.2.1-rc1"},
	} {
		out, err := script(t, harness.Root, []string{"VERSION=" + tt.version, "SOURCE_DATE_EPOCH=1700000000"}, "release/goreleaser.sh", "version")
		if got := strings.TrimSpace(out); err != nil || got != tt.want {
			t.Errorf("%s: %v: %s, want %s", tt.version, err, got, tt.want)
		}
		deb := strings.Replace(tt.want, "-", "~", 1) // as nfpm writes it
		command(t, "", "dpkg", "--compare-versions", last, "le", deb)
		last = deb
	}
	for _, env := range [][]string{{"VERSION=release/1"}, {"VERSION=../x"}, {"VERSION="}, {"VERSION=v1", "SOURCE_DATE_EPOCH=yesterday"}, {"VERSION=v1", "SOURCE_DATE_EPOCH="}} {
		if out, err := script(t, harness.Root, append([]string{"SOURCE_DATE_EPOCH=1"}, env...), "release/goreleaser.sh", "version"); err == nil || !strings.Contains(out, "; set ") {
			t.Errorf("%v: %v: %s", env, err, out)
		}
	}
}

// The platforms are those of the pipeline's job build, and of the installer.
func TestPlatforms(t *testing.T) {
	t.Parallel()
	var config struct{ Builds []struct{ Targets []string } }
	if err := yaml.Unmarshal([]byte(harness.Read(t, ".goreleaser.yaml")), &config); err != nil || len(config.Builds) != 1 {
		t.Fatalf("%v: %+v", err, config)
	}
	var pipeline struct {
		Build struct {
			Parallel struct{ Matrix []map[string]yaml.Node }
		}
	}
	if err := yaml.Unmarshal([]byte(harness.Read(t, ".gitlab-ci.yml")), &pipeline); err != nil {
		t.Fatal(err)
	}
	var released, built, installed []string
	for _, target := range config.Builds[0].Targets {
		part := strings.Split(target, "_")
		released = append(released, part[0]+"/"+part[1])
	}
	for _, m := range pipeline.Build.Parallel.Matrix {
		for _, system := range scalars(m["GOOS"]) {
			for _, arch := range scalars(m["GOARCH"]) {
				built = append(built, system+"/"+arch)
			}
		}
	}
	installed = regexp.MustCompile(`(linux|darwin)/[a-z0-9]+`).FindAllString(regexp.MustCompile(`(?s)supported\(\) \{.*?;;`).FindString(harness.Read(t, "install.sh")), -1)
	slices.Sort(released)
	slices.Sort(built)
	slices.Sort(installed)
	if !slices.Equal(released, built) || len(released) != 10 {
		t.Errorf("released: %v, built: %v", released, built)
	}
	unix := slices.DeleteFunc(slices.Clone(released), func(p string) bool { return strings.HasPrefix(p, "windows/") })
	if !slices.Equal(unix, installed) {
		t.Errorf("released: %v, installed: %v", unix, installed)
	}
}
