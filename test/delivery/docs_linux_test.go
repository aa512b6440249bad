package delivery

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/need"
	"gitlab.com/artifetch/artifetch/manifest"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// docBlock is a block of code in a page.
type docBlock struct {
	file       string
	line       int
	lang, text string
}

// docBlocks returns the code blocks of files.
func docBlocks(t *testing.T, files ...string) []docBlock {
	t.Helper()
	var blocks []docBlock
	for _, file := range files {
		var open *docBlock
		n := 0
		for line := range strings.Lines(harness.Read(t, file)) {
			n++
			lang, fence := strings.CutPrefix(strings.TrimRight(line, "\n"), "```")
			switch {
			case fence && open == nil:
				open = &docBlock{file: file, line: n + 1, lang: lang}
			case fence:
				blocks = append(blocks, *open)
				open = nil
			case open != nil:
				open.text += line
			}
		}
		if open != nil {
			t.Errorf("%s:%d: the block has no end", file, open.line)
		}
	}
	return blocks
}

// Every block of YAML and shell in the docs is run, or checked against a schema if it
// needs a release that doesn't exist yet. TestImages and TestLockedDockerfile build the
// Dockerfiles.
func TestDocBlocks(t *testing.T) {
	t.Parallel()
	pages, err := fs.Glob(os.DirFS(harness.Root), "docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range docBlocks(t, append(pages, "README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")...) {
		t.Run(fmt.Sprintf("%s:%d", b.file, b.line), func(t *testing.T) {
			t.Parallel()
			switch b.lang {
			case "": // a synopsis, a drawing, or output
			case "yaml":
				if strings.HasPrefix(b.text, "version: 1\n") {
					if _, err := manifest.Read("artifetch.yml", []byte(b.text), func(string) (string, bool) { return "x", true }); err != nil {
						t.Error(err)
					}
					return
				}
				if !strings.Contains(b.text, cachedByLock) { // TestCacheRecipe runs it
					b.runPipeline(t)
				}
			case "sh":
				b.runShell(t)
			case "dockerfile":
				if b.file != "README.md" && b.file != "docs/delivery.md" && b.file != "docs/sync.md" {
					t.Error("no test builds it")
				}
			case "json":
				if !json.Valid([]byte(b.text)) {
					t.Error("not JSON")
				}
			default:
				t.Errorf("nobody checks blocks of %q", b.lang)
			}
		})
	}
}

// publishedComponent matches the inclusion of a published component.
var publishedComponent = regexp.MustCompile(`component: (?:\$CI_SERVER_FQDN/your-group|gitlab\.com/artifetch)/artifetch/(\w+)@(?:1|v[0-9.]+)`)

// wantsRelease are jobs that can't run before something is published. They are checked
// against GitLab's schema, and their inputs against the component.
var wantsRelease = map[string]bool{"docs/components.md test": true, "docs/delivery.md job": true}

// runPipeline runs all jobs of a .gitlab-ci.yml as jobs of the fixture's project.
func (b docBlock) runPipeline(t *testing.T) {
	files := map[string]string{
		".gitlab-ci.yml": publishedComponent.ReplaceAllString(b.text, "local: templates/$1.yml"),
		"artifetch.yml":  "version: 1\ndefaults: {project: group/app, ref: main}\nsources:\n  - {name: app, job: build, output: vendor/app}\n",
		".gitignore":     "vendor/\n.gitlab-ci-local/\n",
		"compare.sh":     "test $# = 2\n",
	}
	for _, name := range []string{"fetch.yml", "sync.yml", "setup.yml"} {
		files["templates/"+name] = template(t, name)
	}
	world := gitlabtest.Fixture()
	for _, nightly := range world.Projects[0].Pipelines {
		if nightly.ID == 90 {
			nightly.Source = "schedule"
		}
	}
	p := newPipeline(t, files, world)
	if out, err := p.run(t, "artifetch", "sync"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p.commit(t)
	var variables []string
	for _, v := range []string{
		"GITLAB_CI=true", "CI_PROJECT_ID=1", "CI_PROJECT_PATH=group/app", "CI_PIPELINE_ID=100", "CI_COMMIT_REF_NAME=main",
		"CI_MERGE_REQUEST_IID=7", "PARENT_PIPELINE_ID=100", "CI_UPSTREAM_PIPELINE_ID=100", "CI_UPSTREAM_PROJECT_ID=1", "BUILD_SHA=" + fmt.Sprintf("%040x", 100), "CI_COMMIT_TAG=v1.2.3",
	} {
		variables = append(variables, "--variable", v)
	}
	list, err := p.job(t, append(variables, "--list-csv")...)
	if err != nil {
		t.Fatalf("%v: %s", err, list)
	}
	_, list, _ = strings.Cut(list, "name;")
	reader := csv.NewReader(strings.NewReader(list))
	reader.Comma, reader.FieldsPerRecord, reader.LazyQuotes = ';', -1, true
	rows, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	run := []string{"--needs"}
	for _, row := range rows[1:] {
		if !wantsRelease[b.file+" "+row[0]] {
			run = append(run, row[0])
		}
	}
	if len(rows) < 2 {
		t.Fatalf("no jobs: %s", list)
	}
	if len(run) == 1 {
		return
	}
	out, err := p.job(t, append(variables, run...)...)
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	for _, job := range run[1:] {
		if !regexp.MustCompile(`(?m)^ *(PASS|WARN) +` + regexp.QuoteMeta(job) + `( .*)?$`).MatchString(out) {
			t.Errorf("the job %s was not run: %s", job, out)
		}
	}
	if strings.Contains(out, gitlabtest.JobToken) {
		t.Errorf("the token is in the log: %s", out)
	}
}

// runShell runs a block in bash, with the simulated GitLab, a make that only prints its
// commands, and a builder instead of docker that has the same flags.
func (b docBlock) runShell(t *testing.T) {
	need.Tools(t, "bash", "make")
	if strings.Contains(b.text, "docker build") {
		need.Tools(t, "buildah")
	}
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	t.Cleanup(s.Close)
	root, err := filepath.Abs(harness.Root)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"bin/make":      fmt.Sprintf("#!/bin/sh\nexec %s -n -C %s \"$@\" >/dev/null\n", need.Tools(t, "make"), root),
		"bin/docker":    fmt.Sprintf("#!/bin/sh\ntest \"$1\" = build && shift && exec buildah --storage-driver vfs --root %[1]s/root --runroot %[1]s/run bud --isolation chroot \"$@\"\n", t.TempDir()),
		"Dockerfile":    "FROM scratch\nARG CI_API_V4_URL CI_PROJECT_ID\nCOPY a.txt /\n",
		"a.txt":         "a",
		"checksums.txt": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a.txt\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil { //nolint:gosec // some are programs
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", strings.NewReplacer("glpat-…", gitlabtest.PrivateToken, "https://gitlab.example.com ", s.URL+" ").Replace(b.text))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "CI_JOB_TOKEN="+gitlabtest.JobToken, "GITLAB_CI=", "CI_API_V4_URL="+s.APIURL, "CI_PROJECT_ID=1", "CI_PROJECT_DIR=")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("%v: %s", err, out.String())
	}
}

// Each message that the page explains is one of the program's.
func TestTroubleshootingMessages(t *testing.T) {
	t.Parallel()
	_, table, _ := strings.Cut(harness.Read(t, "docs/troubleshooting.md"), "| message | why")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := regexp.MustCompile("(?m)^\\| (`.*?) \\|").FindAllStringSubmatch(table, -1)
	if len(rows) < 10 {
		t.Fatalf("%d messages", len(rows))
	}
	program := programSource(t)
	for _, row := range rows {
		for _, message := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			for _, part := range strings.FieldsFunc(message[1], func(r rune) bool { return r == '…' || '0' <= r && r <= '9' }) {
				if part = strings.TrimSpace(part); !strings.Contains(program, strings.TrimPrefix(strings.TrimPrefix(part, "GitLab "), "object storage ")) {
					t.Errorf("no message of the program has %q", part)
				}
			}
		}
	}
}

// programSource returns the text of all Go files of the program.
func programSource(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	project := os.DirFS(harness.Root)
	err := fs.WalkDir(project, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (path == "internal/gitlabtest" || path == "test" || path != "." && d.Name()[0] == '.') {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		content, err := fs.ReadFile(project, path)
		all.Write(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}
