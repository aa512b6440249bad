package delivery

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/need"
)

// registry is as much of GitLab as publishing takes: a release that the pipeline has
// made, its links, and the generic package registry.
//
//	https://docs.gitlab.com/api/releases/
//	https://docs.gitlab.com/api/releases/links/
//	https://docs.gitlab.com/user/packages/generic_packages/
type registry struct {
	*httptest.Server

	mu    sync.Mutex
	notes string
	files map[string][]byte // by address
	links map[string]string // address by name
	paths map[string]string // path below downloads/, by name
	other []string          // requests that it doesn't know
}

func newRegistry(t *testing.T) *registry {
	t.Helper()
	r := &registry{files: map[string][]byte{}, links: map[string]string{}, paths: map[string]string{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

const publishToken = "glcbt-64_publishing"

func (r *registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	var sent struct {
		Description, Name, URL string
		Path                   string `json:"direct_asset_path"`
	}
	_ = json.Unmarshal(body, &sent)
	r.mu.Lock()
	defer r.mu.Unlock()
	project, path, _ := strings.Cut(strings.TrimPrefix(req.URL.EscapedPath(), "/api/v4/projects/"), "/")
	path = unescaped(path) // clients write %2E for a dot
	switch what := req.Method + " " + path; {
	case req.Header.Get("Job-Token") != publishToken || project != "group%2Fartifetch":
		w.WriteHeader(http.StatusUnauthorized)
		return
	case what == "GET releases/v1.2.3":
	case what == "PUT releases/v1.2.3":
		r.notes = sent.Description
	case what == "POST releases/v1.2.3/assets/links":
		r.links[sent.Name], r.paths[sent.Name] = unescaped(sent.URL), sent.Path
		w.WriteHeader(http.StatusCreated)
	case strings.HasPrefix(what, "PUT packages/generic/artifetch/1.2.3/"):
		r.files[r.URL+req.URL.Path] = body
		w.WriteHeader(http.StatusCreated)
	default:
		r.other = append(r.other, what)
		http.NotFound(w, req)
		return
	}
	_, _ = fmt.Fprint(w, `{"tag_name": "v1.2.3", "id": 1}`)
}

func unescaped(path string) string {
	path, _ = url.PathUnescape(path)
	return path
}

// TestPublish publishes a tag as its pipeline does: all files are linked, signed, and
// under the names that mise, aqua and the installer look for.
func TestPublish(t *testing.T) {
	t.Parallel()
	needsGoReleaser(t)
	r := newRegistry(t)
	dir := checkout(t)
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("CHANGELOG.md", "# Changelog\n\n## v1.2.3 (2026-11-22)\n\n- What is new.\n\n## v1.2.2\n\n- What is old.\n")
	command(t, dir, "sh", "-c", "git -c user.name=a -c user.email=a@example.com commit -qam changelog && git tag v1.2.3")
	tools := t.TempDir()
	calls := standIn(t, tools, 0)
	cmd := exec.CommandContext(t.Context(), "make", "-s", "publish", "VERSION=v1.2.3", "GORELEASER="+os.Getenv("GORELEASER"), "COSIGN="+filepath.Join(tools, "cosign"))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"CI_SERVER_URL="+r.URL, "CI_API_V4_URL="+r.URL+"/api/v4", "CI_SERVER_VERSION=18.5.0", "CI_PROJECT_NAMESPACE=group", "CI_PROJECT_NAME=artifetch",
		"CI_PROJECT_URL="+r.URL+"/group/artifetch", "CI_JOB_TOKEN="+publishToken, "CI_COMMIT_SHA="+strings.TrimSpace(command(t, dir, "git", "rev-parse", "HEAD")), "SIGSTORE_ID_TOKEN=token")
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), publishToken) {
		t.Fatalf("%v, unknown requests %v: %s", err, r.other, out)
	}
	if strings.TrimSpace(r.notes) != "- What is new." || len(r.other) > 0 {
		t.Errorf("notes %q, unknown requests %v", r.notes, r.other)
	}
	r.checkFiles(t, filepath.Join(dir, "dist"))
	checkChannels(t, r, filepath.Join(dir, "dist"))
	checkFormula(t, r, filepath.Join(dir, "dist"))
	checkStatement(t, filepath.Join(tools, "statement"), filepath.Join(dir, "dist"))
	if got := calls(); strings.Count(got, "sign-blob ") != 1 || strings.Count(got, "attest-blob ") != 1 {
		t.Errorf("cosign %s", got)
	}
}

// checkFiles wants every file of checksums.txt to be there as it is in dist, and those
// that sign it; and each one linked by its name.
func (r *registry) checkFiles(t *testing.T, dist string) {
	t.Helper()
	want := []string{"checksums.txt", "checksums.txt.sigstore.json", "artifetch_v1.2.3.provenance.sigstore.json", "release.json"}
	for line := range strings.Lines(readFile(t, filepath.Join(dist, "checksums.txt"))) {
		want = append(want, strings.Fields(line)[1])
	}
	// Ten archives and SBOMs, six times three packages, the source, the installers.
	if len(want) != 4+10+10+18+3 || len(r.links) != len(want) {
		t.Errorf("%d files, %d links", len(want), len(r.links))
	}
	// These are the names that TestDetection is about.
	names, _ := released(t)
	slices.Sort(names)
	if slices.Sort(want); !slices.Equal(names, want) {
		t.Errorf("files %q, want %q", want, names)
	}
	for _, name := range want {
		content, err := os.ReadFile(filepath.Join(dist, name))
		uploaded := r.files[r.links[name]]
		if err != nil || len(content) == 0 || sha256.Sum256(content) != sha256.Sum256(uploaded) || r.paths[name] != "/"+name {
			t.Errorf("%s: %v: linked as %s, at downloads%s", name, err, r.links[name], r.paths[name])
		}
	}
}

// checkStatement wants what was signed about a release to have every file of checksums.txt,
// with the digest of that file.
func checkStatement(t *testing.T, path, dist string) {
	t.Helper()
	var s statement
	if err := json.Unmarshal([]byte(readFile(t, path)), &s); err != nil {
		t.Fatal(err)
	}
	checksums := readFile(t, filepath.Join(dist, "checksums.txt"))
	if got := strings.Join(s.subjects(), "\n") + "\n"; got != checksums {
		t.Errorf("the statement is about\n%s, checksums.txt has\n%s", got, checksums)
	}
	for _, subject := range s.Subject {
		if digest := fmt.Sprintf("%x", sha256.Sum256([]byte(readFile(t, filepath.Join(dist, subject.Name))))); subject.Digest["sha256"] != digest {
			t.Errorf("%s has the digest %s, and not %s", subject.Name, digest, subject.Digest["sha256"])
		}
	}
}

// checkChannels wants the pages for Homebrew, Scoop and the AUR to have the addresses
// and digests of what was published.
func checkChannels(t *testing.T, r *registry, dist string) {
	t.Helper()
	for page, archives := range map[string][]string{
		"homebrew/artifetch.rb":      {"darwin_amd64.tar.gz", "darwin_arm64.tar.gz", "linux_amd64.tar.gz", "linux_arm64.tar.gz"},
		"scoop/artifetch.json":       {"windows_amd64.zip", "windows_arm64.zip"},
		"aur/artifetch-bin.pkgbuild": {"linux_amd64.tar.gz", "linux_arm64.tar.gz", "linux_arm.tar.gz"},
	} {
		text := strings.ReplaceAll(readFile(t, filepath.Join(dist, page)), "${pkgver}", "1.2.3")
		for _, archive := range archives {
			name := "artifetch_v1.2.3_" + archive
			address := r.URL + "/group/artifetch/-/releases/v1.2.3/downloads/" + name
			if digest := fmt.Sprintf("%x", sha256.Sum256(r.files[r.links[name]])); !strings.Contains(text, address) || !strings.Contains(text, digest) {
				t.Errorf("%s has no %s, %s:\n%s", page, address, digest, text)
			}
		}
	}
	command(t, dist, "bash", "-n", "aur/artifetch-bin.pkgbuild")
	if !json.Valid([]byte(readFile(t, filepath.Join(dist, "scoop/artifetch.json")))) {
		t.Error("Scoop's manifest isn't JSON")
	}
}

// brew evaluates a formula as Homebrew does, on a system that is named, and installs from
// a directory: https://docs.brew.sh/Formula-Cookbook
const brew = `
SYSTEM, CPU, FORMULA = ARGV
SPEC = {}
Place = Struct.new(:name) do
  def install(what)
    file, = what.is_a?(Hash) ? what.first : what
    raise "#{file} isn't in the archive" unless File.file?(file)
    print name, " "
  end
end
class Formula
  %i[desc homepage version license url sha256].each do |name|
    define_singleton_method(name) { |value| raise "two #{name}" if SPEC.key?(name); SPEC[name] = value }
  end
  {on_macos: "darwin", on_linux: "linux"}.each { |name, it| define_singleton_method(name) { |&block| block.call if SYSTEM == it } }
  {on_arm: "arm64", on_intel: "amd64"}.each { |name, it| define_singleton_method(name) { |&block| block.call if CPU == it } }
  def self.test; end
  %i[bin man1 doc bash_completion fish_completion zsh_completion].each { |name| define_method(name) { Place.new(name) } }
end
load FORMULA
Artifetch.new.install
print SPEC.values_at(:version, :url, :sha256).join(" ")
`

// checkFormula installs by the formula on each of its systems.
func checkFormula(t *testing.T, r *registry, dist string) {
	t.Helper()
	ruby := need.Tools(t, "ruby")
	formula := absolute(t, filepath.Join(dist, "homebrew/artifetch.rb"))
	for _, system := range []string{"darwin amd64", "darwin arm64", "linux amd64", "linux arm64"} {
		os, cpu, _ := strings.Cut(system, " ")
		name := "artifetch_v1.2.3_" + os + "_" + cpu + ".tar.gz"
		dir := t.TempDir()
		command(t, dir, "tar", "-xzf", absolute(t, filepath.Join(dist, name)), "--strip-components", "1") // as Homebrew does
		got := command(t, dir, ruby, "-W", "-e", brew, os, cpu, formula)
		want := fmt.Sprintf("bin man1 bash_completion fish_completion zsh_completion doc 1.2.3 %s/group/artifetch/-/releases/v1.2.3/downloads/%s %x", r.URL, name, sha256.Sum256(r.files[r.links[name]]))
		if got != want {
			t.Errorf("%s: %s, want %s", system, got, want)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return string(content)
}
