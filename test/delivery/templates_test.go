package delivery

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// The tables of inputs in docs/components.md are generated from
// the templates.
//
//	go test ./test/delivery -run ComponentInputs -update
func TestComponentInputs(t *testing.T) {
	t.Parallel()
	page := harness.Read(t, "docs/components.md")
	files, err := fs.Glob(os.DirFS(harness.Root), "templates/*.yml")
	if err != nil || len(files) != 3 {
		t.Fatalf("%v, %v", files, err)
	}
	text := page
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yml")
		begin, end := fmt.Sprintf("<!-- inputs of %s -->\n", name), "<!-- end -->\n"
		head, rest, ok := strings.Cut(text, begin)
		_, tail, ended := strings.Cut(rest, end)
		if !ok || !ended {
			t.Fatalf("docs/components.md has no place for the inputs of %s", name)
		}
		text = head + begin + inputsTable(t, file) + end + tail
	}
	if text == page {
		return
	}
	if !*harness.Update {
		t.Fatal("the tables of inputs in docs/components.md are not what templates/ has: go test ./test/delivery -run ComponentInputs -update")
	}
	if err := os.WriteFile(filepath.Join(harness.Root, "docs/components.md"), []byte(text), 0o644); err != nil { //nolint:gosec // to be read
		t.Fatal(err)
	}
}

// input is a component's input in GitLab's syntax: https://docs.gitlab.com/ci/inputs/
type input struct {
	Description string
	Type        string
	Default     yaml.Node
	Options     []string
	Regex       string
}

func inputsTable(t *testing.T, file string) string {
	t.Helper()
	var header struct {
		Spec struct{ Inputs yaml.Node }
	}
	if err := yaml.Unmarshal([]byte(harness.Read(t, file)), &header); err != nil { // only the first document
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| input | default | |\n|---|---|---|\n")
	for i := 0; i < len(header.Spec.Inputs.Content); i += 2 {
		name := header.Spec.Inputs.Content[i].Value
		var in input
		if err := header.Spec.Inputs.Content[i+1].Decode(&in); err != nil {
			t.Fatal(err)
		}
		if in.Description == "" {
			t.Errorf("%s: %s has no description", file, name)
		}
		value := "(required)"
		if in.Default.Kind == yaml.ScalarNode {
			value = "`" + in.Default.Value + "`"
			if in.Default.Value == "" {
				value = ""
			}
		}
		about := in.Description
		switch {
		case len(in.Options) > 0:
			about += " (" + strings.Join(in.Options, ", ") + ")"
		case in.Type != "":
			about += " (" + in.Type + ")"
		}
		_, _ = fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, value, about)
	}
	return b.String()
}

// The installer's variables don't set any flag: the component sets them in jobs that run
// the program, too.
func TestInstallerVariables(t *testing.T) {
	t.Parallel()
	script, page := harness.Read(t, "install.sh"), harness.Read(t, "docs/cli.md")
	flags := map[string]bool{}
	for _, m := range regexp.MustCompile("`--([a-z0-9-]+)").FindAllStringSubmatch(page, -1) {
		flags["ARTIFETCH_"+strings.ToUpper(strings.ReplaceAll(m[1], "-", "_"))] = true
	}
	delete(flags, "ARTIFETCH_VERSION") // no variable sets this flag
	names := regexp.MustCompile(`ARTIFETCH_[A-Z0-9_]+`).FindAllString(script, -1)
	if len(names) < 10 || len(flags) < 60 {
		t.Fatalf("%d names, %d flags", len(names), len(flags))
	}
	for _, name := range names {
		if flags[name] {
			t.Errorf("install.sh reads %s, which is the variable of a flag", name)
		}
	}
}

// The pipeline includes every component of its own commit, so that GitLab checks each one
// before a release, with inputs that GitLab accepts: https://docs.gitlab.com/ci/inputs/
func TestComponentsOfTheCommit(t *testing.T) {
	t.Parallel()
	var pipeline struct {
		Include []struct {
			Component string
			Inputs    map[string]any
		}
	}
	if err := yaml.Unmarshal([]byte(harness.Read(t, ".gitlab-ci.yml")), &pipeline); err != nil {
		t.Fatal(err)
	}
	given := map[string]map[string]any{}
	for _, include := range pipeline.Include {
		given[include.Component] = include.Inputs
	}
	files, err := fs.Glob(os.DirFS(harness.Root), "templates/*.yml")
	if err != nil || len(files) != 3 || len(given) != 3 {
		t.Fatalf("%v, %v, %v", files, given, err)
	}
	for _, file := range files {
		inputs, ok := given["$CI_SERVER_FQDN/$CI_PROJECT_PATH/"+strings.TrimSuffix(filepath.Base(file), ".yml")+"@$CI_COMMIT_SHA"]
		if !ok {
			t.Errorf("the pipeline doesn't include %s", file)
		}
		var header struct {
			Spec struct{ Inputs map[string]input }
		}
		if err := yaml.Unmarshal([]byte(harness.Read(t, file)), &header); err != nil {
			t.Fatal(err)
		}
		for name, in := range header.Spec.Inputs {
			value, ok := inputs[name]
			if delete(inputs, name); !ok && in.Default.IsZero() {
				t.Errorf("%s: the pipeline doesn't set %s", file, name)
			}
			if ok && !regexp.MustCompile(in.Regex).MatchString(fmt.Sprint(value)) {
				t.Errorf("%s: %s is %v, and not %s", file, name, value, in.Regex)
			}
		}
		if len(inputs) > 0 {
			t.Errorf("%s has no %v", file, inputs)
		}
	}
}
