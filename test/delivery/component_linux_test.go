package delivery

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/need"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// template reads a component's template.
func template(t *testing.T, name string) string {
	t.Helper()
	return harness.Read(t, "templates/"+name)
}

// The component downloads what is locked, passes it on to later jobs, and fails if
// nothing is locked.
func TestSyncComponent(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, map[string]string{
		"templates/sync.yml": template(t, "sync.yml"),
		"artifetch.yml":      "version: 1\ndefaults: {project: group/app, ref: main}\nsources:\n  - {name: app, job: build, output: vendor/app}\n",
		".gitlab-ci.yml": `include:
  - local: templates/sync.yml
    inputs: {job-name: inputs, stage: build, image: busybox, paths: [vendor/]}
use:
  stage: test
  needs: [inputs]
  script:
    - cat vendor/app/job.txt
`,
		".gitignore": "vendor/\n.artifetch-cache/\n.gitlab-ci-local/\n",
	}, nil)
	if out, err := p.job(t, "use", "--needs"); err == nil || !strings.Contains(out, "there is no lock file artifetch.lock") {
		t.Errorf("without a lock file: %v: %s", err, out)
	}
	if out, err := p.run(t, "artifetch", "sync"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.RemoveAll(filepath.Join(p.dir, "vendor")); err != nil {
		t.Fatal(err)
	}
	p.commit(t)
	if out, err := p.job(t, "use", "--needs"); err != nil || !strings.Contains(out, "build 1001") {
		t.Errorf("%v: %s", err, out)
	}
}

// The component fetches, passes on files and the report, and fails or not, as its inputs
// say.
func TestFetchComponent(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, map[string]string{
		"templates/fetch.yml": template(t, "fetch.yml"),
		".gitlab-ci.yml": `include:
  - local: templates/fetch.yml
    inputs: {job-name: app, stage: build, image: busybox, project: group/app, ref: main, job: build, include: "job.txt\ndist/", output: app}
  - local: templates/fetch.yml
    inputs: {job-name: both, stage: build, image: busybox, project: group/app, pipeline: "100", job: "test *", output: "tests", strip-components: 0, dotenv: tests.env, exclude: nothing}
  - local: templates/fetch.yml
    inputs: {job-name: none, stage: build, image: busybox, project: group/app, ref: main, job: nothing, if-missing: warn, output: none}
  - local: templates/fetch.yml
    inputs: {job-name: fails, stage: build, image: busybox, project: group/app, ref: main, job: nothing}
use:
  stage: test
  needs: [app]
  script:
    - cat app/job.txt
    - echo "job <$ARTIFACT_JOB_ID> of <$ARTIFACT_PIPELINE_ID>, <$ARTIFACT_FILES> in <$ARTIFACT_PATH>"
`,
		".gitignore": "/app/\n*.env\n.gitlab-ci-local/\n",
	}, nil)
	out, err := p.job(t, "use", "--needs")
	if err != nil || !strings.Contains(out, "build 1001") || !strings.Contains(out, "job <1001> of <100>, <3> in <app>") {
		t.Errorf("%v: %s", err, out)
	}
	if entries, err := os.ReadDir(filepath.Join(p.dir, "app")); err != nil || len(entries) != 2 {
		t.Errorf("not what was asked for: %v, %v", entries, err)
	}
	if out, err := p.job(t, "none"); err != nil || !strings.Contains(out, "nothing fetched") {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := p.job(t, "fails"); err == nil || !strings.Contains(out, `no job "nothing"`) {
		t.Errorf("%v: %s", err, out)
	}
}

// The report of one component reaches all later jobs and overrides their own variables,
// but doesn't control them: the second component fetches what its inputs say, and so does
// a job with its own settings.
func TestTwoFetchComponents(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, map[string]string{
		"templates/fetch.yml": template(t, "fetch.yml"),
		".gitlab-ci.yml": `stages: [build, test, use]
include:
  - local: templates/fetch.yml
    inputs: {job-name: app, stage: build, image: busybox, project: group/app, ref: main, job: build, output: app}
  - local: templates/fetch.yml
    inputs: {job-name: none, stage: build, image: busybox, project: group/app, ref: main, job: nothing, output: none, if-missing: warn, dotenv: none.env, dotenv-prefix: NONE_}
  - local: templates/fetch.yml
    inputs: {job-name: lib, stage: test, image: busybox, project: group/sub/lib, ref: release/2.x, job: package, output: lib, dotenv: lib.env, dotenv-prefix: LIB_}
use:
  stage: use
  script:
    - echo "app <$ARTIFACT_FOUND $ARTIFACT_PROJECT $ARTIFACT_REF $ARTIFACT_JOB_ID>"
    - echo "lib <$LIB_FOUND $LIB_PROJECT $LIB_REF $LIB_JOB_ID>"
    - echo "none <$NONE_FOUND $NONE_JOB_ID>"
    - artifetch fetch -R 1 --ref v1.0 --job build -o tag
    - cat tag/job.txt
`,
		".gitignore": "/app/\n/lib/\n/tag/\n*.env\n.gitlab-ci-local/\n",
	}, nil)
	out, err := p.job(t)
	for _, want := range []string{
		"app <true group/app main 1001>", "lib <true group/sub/lib release/2.x 2001>", "none <false >", "build 1501",
	} {
		if err != nil || !strings.Contains(out, want) {
			t.Fatalf("no %q: %v: %s", want, err, out)
		}
	}
}

// The installer in the component is a copy of install.sh.
//
//	go test ./test/delivery -run SetupTemplate -update
func TestSetupTemplate(t *testing.T) {
	t.Parallel()
	const begin, end = "<<'INSTALL_SH'\n", "      INSTALL_SH\n"
	var indented strings.Builder
	for line := range strings.Lines(harness.Read(t, "install.sh")) {
		if line != "\n" {
			indented.WriteString("      ")
		}
		indented.WriteString(line)
	}
	text := template(t, "setup.yml")
	head, rest, ok := strings.Cut(text, begin)
	_, tail, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatal("no installer in templates/setup.yml")
	}
	want := head + begin + indented.String() + end + tail
	if *harness.Update && text != want {
		if err := os.WriteFile(filepath.Join(harness.Root, "templates/setup.yml"), []byte(want), 0o644); err != nil { //nolint:gosec // to be read
			t.Fatal(err)
		}
	} else if text != want {
		t.Error("templates/setup.yml has another installer than install.sh: go test ./test/delivery -run SetupTemplate -update")
	}
}

// A job whose image lacks the program gets it, verified, or fails before its script runs.
// The job's token goes only to its own GitLab.
func TestSetupComponent(t *testing.T) {
	t.Parallel()
	need.Tools(t, "curl")
	archive := programArchive(t)
	sums := fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(archive)), installArchive)
	var mu sync.Mutex
	var tokens string // all tokens received
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		tokens += r.Header.Get("Job-Token")
		mu.Unlock()
		switch filepath.Base(r.URL.Path) {
		case "checksums.txt":
			_, _ = fmt.Fprint(w, sums)
		case installArchive:
			_, _ = fmt.Fprint(w, archive)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(registry.Close)
	dir := filepath.Join(t.TempDir(), "program")
	p := newPipeline(t, map[string]string{
		"templates/setup.yml": template(t, "setup.yml"),
		".gitlab-ci.yml": fmt.Sprintf(`include:
  - local: templates/setup.yml
    inputs: {url: "%[1]s/v1.2.3", checksums-sha256: "%[2]x", directory: %[3]s}
  - local: templates/setup.yml
    inputs: {job-name: .spoilt, url: "%[1]s/v1.2.3", checksums-sha256: "%[4]x", directory: %[3]s-spoilt}
use:
  extends: .artifetch
  script:
    - command -v artifetch
    - artifetch
spoilt:
  extends: .spoilt
  script:
    - echo "the script has run"
`, registry.URL, sha256.Sum256([]byte(sums)), dir, sha256.Sum256([]byte("something else"))),
		".gitignore": ".gitlab-ci-local/\n",
	}, nil)
	platform := []string{"--variable", "ARTIFETCH_OS=linux", "--variable", "ARTIFETCH_ARCH=riscv64"}
	out, err := p.job(t, slices.Concat(platform, []string{"use"})...)
	if err != nil || !strings.Contains(out, dir+"/artifetch") || !strings.Contains(out, "the new program") {
		t.Errorf("%v: %s", err, out)
	}
	mu.Lock()
	if tokens != "" {
		t.Errorf("another server got the job's token: %q", tokens)
	}
	mu.Unlock()
	out, err = p.job(t, slices.Concat(platform, []string{"--variable", "CI_API_V4_URL=" + registry.URL, "use"})...)
	mu.Lock()
	if err != nil || !strings.Contains(tokens, gitlabtest.JobToken) {
		t.Errorf("its own GitLab did not get the token: %v: %s", err, out)
	}
	mu.Unlock()
	out, err = p.job(t, "spoilt")
	if err == nil || !strings.Contains(out, "nothing is installed") && !strings.Contains(out, "ARTIFETCH_CHECKSUMS_SHA256 says") || strings.Contains(out, "the script has run") {
		t.Errorf("%v: %s", err, out)
	}
	if _, err := os.Stat(dir + "-spoilt/artifetch"); err == nil {
		t.Error("it is installed all the same")
	}
}
