package delivery

import (
	"go/version"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// imagesIn finds what `image:` says anywhere in a pipeline.
func imagesIn(config any) (images []string) {
	switch c := config.(type) {
	case []any:
		for _, one := range c {
			images = append(images, imagesIn(one)...)
		}
	case map[string]any:
		for key, value := range c {
			if name, ok := value.(string); ok && (key == "image" || key == "name") {
				images = append(images, name)
				continue
			}
			images = append(images, imagesIn(value)...)
		}
	}
	return images
}

// Every image of this project's pipeline and of its Dockerfile is pinned by digest, and
// Renovate moves the digests. That of Go is new enough for go.mod: it downloads no other.
func TestImagesArePinned(t *testing.T) {
	t.Parallel()
	var pipeline map[string]any
	if err := yaml.Unmarshal([]byte(harness.Read(t, ".gitlab-ci.yml")), &pipeline); err != nil {
		t.Fatal(err)
	}
	images := imagesIn(pipeline)
	for _, base := range regexp.MustCompile(`(?m)^(?:ARG [A-Z]+_BASE=|FROM )(\S+)`).FindAllStringSubmatch(harness.Read(t, "Dockerfile"), -1) {
		if base[1] != "scratch" && !strings.HasPrefix(base[1], "$") {
			images = append(images, base[1])
		}
	}
	if len(images) != 5 { // by default, of a component, twice glab's, and of a shell
		t.Errorf("images %q: is one missing?", images)
	}
	pinned := regexp.MustCompile(`^[a-z0-9./-]+:[A-Za-z0-9.-]+@sha256:[0-9a-f]{64}$`)
	required := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(harness.Read(t, "go.mod"))[1]
	for _, image := range images {
		if !pinned.MatchString(image) {
			t.Errorf("%s has no digest", image)
		}
		if tag, ok := strings.CutPrefix(image, "golang:"); ok {
			if got, _, _ := strings.Cut(tag, "-"); version.Compare("go"+got, "go"+required) < 0 {
				t.Errorf("%s is older than %s of go.mod", image, required)
			}
		}
	}
	if !strings.Contains(harness.Read(t, "renovate.json"), `"docker:pinDigests"`) {
		t.Error("Renovate doesn't move the digests")
	}
}

// What a tag makes public waits for every job that checks something: images for the
// earlier stages, the release for all.
func TestReleaseWaits(t *testing.T) {
	t.Parallel()
	var pipeline map[string]yaml.Node
	if err := yaml.Unmarshal([]byte(harness.Read(t, ".gitlab-ci.yml")), &pipeline); err != nil {
		t.Fatal(err)
	}
	type job struct {
		Stage  string
		Needs  *[]yaml.Node
		Rules  []map[string]string
		Script []string
	}
	jobs := map[string]job{}
	for name, node := range pipeline {
		var j job
		if node.Kind == yaml.MappingNode && node.Decode(&j) == nil && len(j.Script) > 0 {
			jobs[name] = j
		}
	}
	if len(jobs) < 11 {
		t.Fatalf("%d jobs", len(jobs))
	}
	needed := map[string]bool{}
	for _, need := range *jobs["release"].Needs {
		needed[need.Value] = true
	}
	for name := range jobs {
		if name != "release" && name != "publish" && name != "build" && !needed[name] {
			t.Errorf("the release doesn't wait for %s", name)
		}
	}
	if jobs["images"].Needs != nil || jobs["images"].Stage != "use" {
		t.Error("the images don't wait for the stages check and build")
	}
	for _, name := range []string{"check", "test", "realstores", "systems", "fuzz", "glab"} {
		if jobs[name].Stage != "check" || jobs[name].Rules != nil {
			t.Errorf("%s isn't in the stage check of every pipeline: %+v", name, jobs[name])
		}
	}
	var version struct{ Rules []map[string]string }
	if hidden := pipeline[".version"]; hidden.Decode(&version) != nil || len(version.Rules) != 1 || jobs["images"].Rules[0]["if"] != version.Rules[0]["if"] {
		t.Errorf("other tags than versions publish: %v", jobs["images"].Rules)
	}
}

// Only the pipeline of a version's tag publishes or signs: the jobs release and publish, and
// images by one line of its script.
func TestOnlyVersionsPublish(t *testing.T) {
	t.Parallel()
	var pipeline map[string]yaml.Node
	if err := yaml.Unmarshal([]byte(harness.Read(t, ".gitlab-ci.yml")), &pipeline); err != nil {
		t.Fatal(err)
	}
	makes := regexp.MustCompile(`\bmake (?:publish|push-images)\b`)
	var found []string
	for name, node := range pipeline {
		var job struct {
			Extends, Rules, Release, Script yaml.Node
		}
		if node.Kind != yaml.MappingNode || node.Decode(&job) != nil {
			continue
		}
		byVersion := slices.Contains(scalars(job.Extends), ".version") && job.Rules.IsZero()
		if !job.Release.IsZero() {
			found = append(found, name+": release")
		}
		for _, line := range scalars(job.Script) {
			if makes.MatchString(line) {
				found = append(found, name+": "+makes.FindString(line))
				byVersion = byVersion || strings.HasPrefix(line, `if [ -n "$CI_COMMIT_TAG" ]; then `)
			}
		}
		if slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, name+":") }) && !byVersion {
			t.Errorf("%s publishes or signs without a version's tag", name)
		}
	}
	slices.Sort(found)
	if want := []string{"images: make push-images", "publish: make publish", "release: release"}; !slices.Equal(found, want) {
		t.Errorf("%q publish, want %q", found, want)
	}
}

// scalars are the texts of a node that is one, or a list of them.
func scalars(n yaml.Node) (texts []string) {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	_ = n.Decode(&texts)
	return texts
}
