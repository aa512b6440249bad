package manifest_test

import (
	"errors"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/manifest"
)

func noVariables(string) (string, bool) { return "", false }

// Everything else in the file stays as it is, in block and flow style, and in JSON.
func TestAdd(t *testing.T) {
	t.Parallel()
	lib := manifest.Source{Name: "lib", Query: manifest.Query{Project: "group/lib", Ref: []string{"@default"}, Job: "build: [x]", Paths: []string{"dist/", "**/*.so"}, Output: "lib"}}
	const block = "name: lib|project: group/lib|ref: '@default'|job: 'build: [x]'|paths: [dist/, '**/*.so']|output: lib"
	lines := func(dash string) string {
		return dash + "- " + strings.ReplaceAll(block, "|", "\n"+dash+"  ") + "\n"
	}
	flow := "{" + strings.ReplaceAll(block, "|", ", ") + "}"
	for name, tt := range map[string]struct{ before, after string }{
		"indented": {
			"# top\nversion: 1\nsources:\n  # about a\n  - name: a # here\n    project: p\n    ref: main\n    job: a\n",
			"# top\nversion: 1\nsources:\n  # about a\n  - name: a # here\n    project: p\n    ref: main\n    job: a\n" + lines("  "),
		},
		"not indented, no line break at the end": {
			"version: 1\nsources:\n- {name: a, project: p, ref: main, job: a}",
			"version: 1\nsources:\n- {name: a, project: p, ref: main, job: a}\n" + lines(""),
		},
		"keys and comments behind the list": {
			"version: 1\nsources:\n  - {name: a, project: p, ref: main, job: a}\n  # - name: b\n  #   job: b\n\n# About defaults\ndefaults:\n  flat: true\n",
			"version: 1\nsources:\n  - {name: a, project: p, ref: main, job: a}\n  # - name: b\n  #   job: b\n" + lines("  ") + "\n# About defaults\ndefaults:\n  flat: true\n",
		},
		"blank lines between sources": {
			"version: 1\nsources:\n  - {name: a, project: p, ref: main, job: a}\n\n  # b\n  - {name: b, project: p, ref: main, job: a}\n...\n",
			"version: 1\nsources:\n  - {name: a, project: p, ref: main, job: a}\n\n  # b\n  - {name: b, project: p, ref: main, job: a}\n\n" + lines("  ") + "...\n",
		},
		"an empty list": {"version: 1\nsources: [ ] # none\n\ndefaults: {}\n", "version: 1\nsources: # none\n" + lines("  ") + "\ndefaults: {}\n"},
		"in brackets": {
			"version: 1\nsources: [{name: a, project: \"p]\", ref: it's, job: 'b}'}] # ]\n",
			"version: 1\nsources: [{name: a, project: \"p]\", ref: it's, job: 'b}'}, " + flow + "] # ]\n",
		},
		"JSON": {
			"{\"version\": 1,\n \"sources\": [\n  {\"name\": \"a\", \"project\": \"p\", \"ref\": \"ä\", \"job\": \"\\\"]\"}\n ]\n}\n",
			"{\"version\": 1,\n \"sources\": [\n  {\"name\": \"a\", \"project\": \"p\", \"ref\": \"ä\", \"job\": \"\\\"]\"},\n  " +
				`{"name": "lib", "project": "group/lib", "ref": "@default", "job": "build: [x]", "paths": ["dist/","**/*.so"], "output": "lib"}` + "\n ]\n}\n",
		},
		"JSON without sources": {`{"version": 1, "sources": []}`, `{"version": 1, "sources": [{"name": "lib", "project": "group/lib", "ref": "@default", "job": "build: [x]", "paths": ["dist/","**/*.so"], "output": "lib"}]}`},
	} {
		got, err := manifest.Add("m.yml", []byte(tt.before), lib, noVariables)
		if err != nil || string(got) != tt.after {
			t.Errorf("%s: %v:\n%s\nwant:\n%s", name, err, got, tt.after)
			continue
		}
		if back, err := manifest.Remove("m.yml", got, []string{"lib"}, noVariables); err != nil || strings.TrimSpace(string(back)) != strings.ReplaceAll(strings.TrimSpace(tt.before), "sources: [ ]", "sources: []") {
			t.Errorf("%s: removed again: %v:\n%s", name, err, back)
		}
		windows := strings.ReplaceAll(tt.before, "\n", "\r\n")
		if got, err := manifest.Add("m.yml", []byte(windows), lib, noVariables); err != nil || string(got) != strings.ReplaceAll(tt.after, "\n", "\r\n") {
			t.Errorf("%s: with CRLF: %v: %q", name, err, got)
		}
	}
}

// A source that says which job or pipeline it means has nothing to do with the ref of
// the defaults.
func TestAddOverridesDefaults(t *testing.T) {
	t.Parallel()
	const defaults = "version: 1\ndefaults: {project: p, ref: main, job: build, pipeline: latest, require-success: true}\nsources: []\n"
	for _, tt := range []struct {
		query manifest.Query
		want  string
	}{
		{manifest.Query{JobID: 5}, "sources:\n  - name: lib\n    ref: \"\"\n    job: \"\"\n    job-id: 5\n    pipeline: \"\"\n    require-success: false\n"},
		{manifest.Query{SHA: strings.Repeat("a", 40)}, "sources:\n  - name: lib\n    pipeline: \"\"\n    sha: " + strings.Repeat("a", 40) + "\n"},
		{manifest.Query{Ref: []string{"a", "b"}}, "sources:\n  - name: lib\n    ref: [a, b]\n"},
		{manifest.Query{Pipeline: "12"}, "sources:\n  - name: lib\n    pipeline: \"12\"\n"},
	} {
		got, err := manifest.Add("m.yml", []byte(defaults), manifest.Source{Name: "lib", Query: tt.query}, noVariables)
		if err != nil || !strings.HasSuffix(string(got), tt.want) {
			t.Errorf("%v:\n%s\nwant:\n%s", err, got, tt.want)
		}
	}
}

// hint is what an error says to do.
func hint(err error) string {
	mistake, _ := errors.AsType[*manifest.Error](err)
	return mistake.Hint()
}

// What can't be added or removed is an error, with what to do about it.
func TestEditMistakes(t *testing.T) {
	t.Parallel()
	const one = "version: 1\ndefaults: {project: p}\nsources:\n  - {name: a, ref: main, job: a}\n"
	lib := manifest.Query{Ref: []string{"main"}, Job: "b"}
	for name, tt := range map[string]struct {
		text   string
		source manifest.Source
		want   string
	}{
		"known":             {one, manifest.Source{Name: "a", Query: lib}, `m.yml: there is already a source called "a"`},
		"no ref":            {one, manifest.Source{Name: "b", Query: manifest.Query{Job: "b"}}, `m.yml: source "b" has no ref`},
		"name":              {one, manifest.Source{Name: "a b", Query: lib}, `m.yml: "a b" isn't a valid name for a source`},
		"name of a command": {one, manifest.Source{Name: "add", Query: lib}, `m.yml: "add" isn't a valid name for a source`},
		"glob":              {one, manifest.Source{Name: "b", Query: manifest.Query{Ref: []string{"x"}, Job: "b*"}}, `m.yml: source "b" has a glob for a job`},
		"alias":             {"version: 1\nsources: &all\n  - {name: a, project: p, ref: main, job: a}\n", manifest.Source{Name: "b", Query: lib}, "m.yml: source \"b\" has no project"},
		"anchor":            {"version: 1\ndefaults: {project: p}\nsources: &all\n  - {name: a, ref: main, job: a}\n", manifest.Source{Name: "b", Query: lib}, "m.yml:3:1: its list of sources is written in a form that can't be edited: it has the anchor &all"},
	} {
		_, err := manifest.Add("m.yml", []byte(tt.text), tt.source, noVariables)
		if err == nil || err.Error() != tt.want || hint(err) == "" {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	if _, err := manifest.Remove("m.yml", []byte(one), []string{"b"}, noVariables); err == nil || err.Error() != `m.yml: there is no source called "b"` || hint(err) != "its sources are a" {
		t.Errorf("%v", err)
	}
}

// An anchor that prevents a change is named, with its place.
func TestAnchorsAreNamed(t *testing.T) {
	t.Parallel()
	const form = "its list of sources is written in a form that can't be edited: "
	for text, want := range map[string]string{
		"version: 1\ndefaults: {ref: main}\nsources:\n  - name: a\n    project: &p group/app\n    job: a\n  - {name: b, project: *p, job: b}\n": "m.yml:5:14: the source has the anchor &p, which is used elsewhere (*p)",
		"version: 1\ndefaults: {project: p, ref: main}\nsources: &all\n  - {name: a, job: a}\n":                                                 "m.yml:3:1: " + form + "it has the anchor &all",
	} {
		if _, err := manifest.Remove("m.yml", []byte(text), []string{"a"}, noVariables); err == nil || err.Error() != want || hint(err) == "" {
			t.Errorf("%v, want %s", err, want)
		}
	}
	// An anchor that only the source itself uses goes with it, and one elsewhere doesn't matter.
	for _, text := range []string{
		"version: 1\ndefaults: {project: &p p, ref: main}\nsources:\n  - {name: a, job: a, project: *p}\n  - {name: b, job: b, project: *p}\n",
		"version: 1\ndefaults: {project: p, ref: main}\nsources:\n  - {name: a, job: &j a, output: *j}\n  - {name: b, job: b}\n",
	} {
		if got, err := manifest.Remove("m.yml", []byte(text), []string{"a"}, noVariables); err != nil || strings.Contains(string(got), "name: a") {
			t.Errorf("%v: %s", err, got)
		}
	}
}

// A source goes with the comment directly above it. Comments of other sources, and
// sources that are commented out, stay.
func TestRemove(t *testing.T) {
	t.Parallel()
	const text = `version: 1
defaults: {project: p, ref: main}
sources: # all
  # about a
  - name: a
    job: a
    # of a

  # - name: x
  #   job: x

  # about b
  # and more
  -
    name: b
    job: |-
      b

      # b
  - name: c
    job: c
# end
`
	for name, want := range map[string]string{
		"a":     "version: 1\ndefaults: {project: p, ref: main}\nsources: # all\n  # - name: x\n  #   job: x\n\n  # about b\n  # and more\n  -\n    name: b\n    job: |-\n      b\n\n      # b\n  - name: c\n    job: c\n# end\n",
		"b":     "version: 1\ndefaults: {project: p, ref: main}\nsources: # all\n  # about a\n  - name: a\n    job: a\n    # of a\n\n  # - name: x\n  #   job: x\n\n  - name: c\n    job: c\n# end\n",
		"c":     "version: 1\ndefaults: {project: p, ref: main}\nsources: # all\n  # about a\n  - name: a\n    job: a\n    # of a\n\n  # - name: x\n  #   job: x\n\n  # about b\n  # and more\n  -\n    name: b\n    job: |-\n      b\n\n      # b\n# end\n",
		"a b c": "version: 1\ndefaults: {project: p, ref: main}\nsources: [] # all\n  # - name: x\n  #   job: x\n\n# end\n",
	} {
		got, err := manifest.Remove("m.yml", []byte(text), strings.Fields(name), noVariables)
		if err != nil || string(got) != want {
			t.Errorf("%s: %v:\n%s\nwant:\n%s", name, err, got, want)
		}
	}
	if _, err := manifest.Remove("m.yml", []byte(text), []string{"a", "c", "x"}, noVariables); err == nil || err.Error() != `m.yml: there is no source called "x"` || hint(err) != "its sources are a, b, c" {
		t.Errorf("two that exist, and one that doesn't: %v, %s", err, hint(err))
	}
	if got, err := manifest.Remove("m.yml", []byte(text), []string{"a", "b", "a", "c"}, noVariables); err != nil || !strings.Contains(string(got), "sources: []") {
		t.Errorf("one that is named twice: %v", err)
	}
	const brackets = "{\"version\": 1, \"defaults\": {\"project\": \"p\", \"ref\": \"main\"}, \"sources\": [{\"name\": \"a\", \"job\": \"a\"}, {\"name\": \"b\", \"job\": \"b\"}]}"
	for name, want := range map[string]string{"a": `[{"name": "b", "job": "b"}]}`, "b": `[{"name": "a", "job": "a"}]}`, "b a": "[]}"} {
		got, err := manifest.Remove("m.json", []byte(brackets), strings.Fields(name), noVariables)
		if _, list, _ := strings.Cut(string(got), `"sources": `); err != nil || list != want {
			t.Errorf("%s: %v: %s", name, err, got)
		}
	}
}
