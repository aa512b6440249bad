package delivery

import (
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// cachedByLock is in the recipe with GitLab's cache.
const cachedByLock = "files: [artifetch.lock]"

// GitLab's cache, as docs/sync.md has it, brings the archives of the lock file to the next
// pipeline, which downloads none of them.
func TestCacheRecipe(t *testing.T) {
	t.Parallel()
	var recipe string
	for _, b := range docBlocks(t, "docs/sync.md") {
		if b.lang == "yaml" && strings.Contains(b.text, cachedByLock) {
			recipe = b.text
		}
	}
	p := newPipeline(t, map[string]string{
		".gitlab-ci.yml": recipe, ".gitignore": "vendor/\n.artifetch-cache/\n.gitlab-ci-local/\n",
		"artifetch.yml": "version: 1\ndefaults: {project: '1', ref: main}\nsources:\n  - {name: app, job: build, output: vendor/app}\n",
	}, nil)
	if out, err := p.run(t, "artifetch", "sync"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p.commit(t)
	for run, want := range []string{"206", "304"} {
		p.server.ResetRequests()
		// Each job has a directory of its own, into which only the cache comes.
		out, err := p.job(t, "--variable", "CI_PROJECT_ID=1", "--variable", "CI_PROJECT_PATH=group/app", "--shell-isolation", "inputs")
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var asked strings.Builder
		for _, r := range p.server.Requests() {
			asked.WriteString(harness.Describe(r) + "\n")
		}
		if lines := strings.Count(asked.String(), "/artifacts"); lines != 1 || !strings.Contains(asked.String(), "-> "+want) {
			t.Errorf("run %d: asked for %s\n%s", run, asked.String(), out)
		}
	}
}
