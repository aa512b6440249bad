package manifest_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gitlab.com/artifetch/artifetch/manifest"
)

func variables(name string) (string, bool) {
	values := map[string]string{"BRANCH": "release/2.x", "EMPTY": "", "CI_JOB_TOKEN": "glcbt-x", "HIDDEN": "glpat-xyz", "CORPORATE": "my-corp-glpat-xyz", "GLOW": "fix-glow-effect"}
	value, ok := values[name]
	return value, ok
}

func read(text string) (manifest.Manifest, error) {
	return manifest.Read("artifetch.yml", []byte(text), variables)
}

func TestRead(t *testing.T) {
	t.Parallel()
	want := manifest.Manifest{Version: 1, Defaults: manifest.Query{Project: "group/app", Ref: []string{"main"}, Exclude: []string{"**/*.map"}}, Sources: []manifest.Source{
		{Name: "app", Query: manifest.Query{Project: "group/app", Ref: []string{"release/2.x"}, Job: "build: [linux, amd64]", Paths: []string{"dist/", "lib/**"}, Exclude: []string{"**/*.map"}, Output: "out/release/2.x", StripComponents: 1}},
		{Name: "tool", Query: manifest.Query{Project: "group/tool", Ref: []string{"main"}, Job: "build", Recent: true, IfMissing: "warn", Paths: []string{"tool"}, Exclude: []string{"**/*.map"}}},
	}}
	for name, text := range map[string]string{
		"YAML": `
version: 1
defaults: {project: group/app, ref: main, exclude: ["**/*.map"]}
sources:
  - name: app
    ref: ${BRANCH}
    job: "build: [linux, amd64]"
    paths:
      - dist/
      - lib/**
    output: out/${BRANCH}
    strip-components: 1
  - {name: tool, project: group/tool, job: build, recent: true, if-missing: warn, paths: tool}
`,
		"JSON": `{"version": 1, "defaults": {"project": "group/app", "ref": "main", "exclude": ["**/*.map"]}, "sources": [
  {"name": "app", "ref": "${BRANCH}", "job": "build: [linux, amd64]", "paths": ["dist/", "lib/**"], "output": "out/${BRANCH}", "strip-components": 1},
  {"name": "tool", "project": "group/tool", "job": "build", "recent": true, "if-missing": "warn", "paths": "tool"}]}`,
		"anchors": `
version: 1
defaults: &all {project: group/app, ref: main, exclude: ["**/*.map"]}
sources:
  - {name: app, ref: "${BRANCH}", job: "build: [linux, amd64]", paths: [dist/, lib/**], output: "out/${BRANCH}", strip-components: 1}
  - {name: tool, project: group/tool, job: build, recent: true, if-missing: warn, paths: [tool]}
`,
	} {
		got, err := read(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(manifest.Source{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Every mistake that a person makes has its place, and says how to mend it.
func TestMistakes(t *testing.T) {
	t.Parallel()
	const head = "version: 1\nsources:\n"
	tests := []struct{ name, text, want, fix string }{
		{"empty", "", "artifetch.yml: it is empty", "version: 1"},
		{"no YAML", "version: 1\nsources: [", "artifetch.yml:2:1: ", "indentation"},
		{"tabs", "version: 1\nsources:\n\t- name: a", "artifetch.yml:3:1: the line is indented with a tab", "spaces"},
		{"a tab further below", head + "  - name: a\n \tjob: b\n", "artifetch.yml:4:1: the line is indented with a tab", "spaces"},
		{"tabs in brackets, and an unquoted @", "{\n\tversion: 1,\n\tsources: [\n\t@x]}\n", "found character that cannot start any token", "begin with @"},
		{"a merge key", "version: 1\nsources:\n  - &s {name: a, project: p, job: b, ref: c}\n  - <<: *s\n    name: b\n", "artifetch.yml:4:5: merge keys (<<) aren't supported", "below defaults:"},
		{"a list", "- a\n", "artifetch.yml:1:1: expected keys, got a list", "name: value"},
		{"two documents", head + "  - {name: a, job: b, ref: c}\n---\nversion: 1\n", "several documents", "---"},
		{"no version", "sources:\n  - {name: a, job: b, ref: c}\n", "artifetch.yml:1:1: version is missing", "version: 1"},
		{"another version", "version: 2\nsources: []\n", "version 2 is not known", "newer"},
		{"a * without quotes", head + "  - name: a\n    paths: *.txt\n", "artifetch.yml:4:1: did not find expected", "begin with @, * or"},
		{"a backslash in double quotes", head + "  - name: a\n    output: \"C:\\x\"\n", "did not find expected", "backslashes need single quotes"},
		{"version in quotes", "version: \"1\"\n", `artifetch.yml:1:10: version is "1", not a number`, "without quotes"},
		{"a list that is nothing", head + "  - name: a\n    ref: ~\n", "artifetch.yml:4:10: ref is nothing", "leave it out"},
		{"a variable without braces", head + "  - {name: a, job: b, ref: $BRANCH}\n", `"$BRANCH" isn't replaced by a variable`, "write ${NAME}"},
		{"a variable that isn't closed", head + "  - {name: a, job: b, ref: 'x-${BRANCH'}\n", `"x-${BRANCH" isn't replaced by a variable`, "write ${NAME}"},
		{"a home directory", head + "  - {name: a, job: b, ref: c, output: ~/x}\n", "an output that begins with ~", "below"},
		{"version is text", "version: one\n", `artifetch.yml:1:10: version is "one", not a number`, ""},
		{"no sources", "version: 1\n", "there are no sources", "sources:"},
		{"unknown key", head + "  - name: a\n    jbo: b\n", `artifetch.yml:4:5: unknown key "jbo"; did you mean "job"?`, "docs/sync.md"},
		{"a key like none", head + "  - {name: a, job: b, ref: c, zzz: 1}\n", `unknown key "zzz"`, "the keys here are any-pipeline, any-status, "},
		{"underscore", head + "  - name: a\n    job_id: 5\n", `unknown key "job_id"; did you mean "job-id"?`, "docs/sync.md"},
		{"unknown key at the top", "version: 1\nsource: []\n", `artifetch.yml:2:1: unknown key "source"; did you mean "sources"?`, ""},
		{"a key that is like none", head + "  - {name: a, token: x}\n", `artifetch.yml:3:15: unknown key "token"`, ""},
		{"key twice", head + "  - name: a\n    job: b\n    job: c\n", `artifetch.yml:5:5: key "job" is here twice`, "keep one"},
		{"sources are no list", "version: 1\nsources: {name: a}\n", "artifetch.yml:2:10: sources is a mapping, not a list", "dash"},
		{"a source is text", head + "  - a\n", `artifetch.yml:3:5: expected keys, got "a"`, ""},
		{"text is a list", head + "  - name: a\n    job: [b]\n", "artifetch.yml:4:10: job is a list, not text", "a source is one job: write a source for each"},
		{"other text is a list", head + "  - name: a\n    sha: [b]\n", "artifetch.yml:4:10: sha is a list, not text", "write a single value"},
		{"text is a mapping", head + "  - name: a\n    job: {b: c}\n", "artifetch.yml:4:10: job is a mapping, not text", "write a single value"},
		{"a list of lists", head + "  - name: a\n    ref: [[main]]\n", "artifetch.yml:4:11: an item of ref is a list, not text", "write a single value"},
		{"text is nothing", head + "  - name: a\n    job:\n", "job is nothing, not text", "leave it out"},
		{"number is text", head + "  - name: a\n    job-id: abc\n", `artifetch.yml:4:13: job-id is "abc", not a number`, ""},
		{"truth is text", head + "  - name: a\n    recent: maybe\n", `recent is "maybe", not true or false`, ""},
		{"paths are a mapping", head + "  - name: a\n    paths: {a: b}\n", "paths is a mapping, not a list", "dash"},
		{"no name", head + "  - job: b\n    ref: c\n", "artifetch.yml:3:5: a source has no name", "name:"},
		{"a name with a slash", head + "  - {name: a/b, job: b, ref: c}\n", `"a/b" isn't a valid name`, "letters"},
		{"two of one name", head + "  - {name: a, job: b, ref: c}\n  - {name: a, job: b, ref: c}\n", `artifetch.yml:4:5: there are two sources called "a"`, ""},
		{"no job", head + "  - {name: a, ref: c}\n", `source "a" names no job`, "job-id"},
		{"a glob", head + "  - {name: a, job: 'test *', ref: c}\n", `source "a" has a glob`, "one by one"},
		{"no project", "version: 1\nsources: [{name: a, job: b, ref: c}]\n", `artifetch.yml:2:11: source "a" has no project`, "group/app"},
		{"address of a project", "version: 1\nsources: [{name: a, project: 'https://gitlab.example.com/group/app', job: b, ref: c}]\n", `artifetch.yml:2:11: source "a" has an address as its project`, "group/app"},
		{"address for git clone", "version: 1\ndefaults: {project: 'git@gitlab.example.com:group/app.git'}\nsources: [{name: a, job-id: 1}]\n", `artifetch.yml:3:11: source "a" has an address as its project`, "group/app"},
		{"address of a job", head + "  - name: a\n    job-id: https://gitlab.example.com/group/app/-/jobs/7\n", `artifetch.yml:4:13: job-id is "https://gitlab.example.com/group/app/-/jobs/7", not a number`, "the number in that address"},
		{"a pipeline that is a word", head + "  - {name: a, job: b, ref: c, pipeline: newest}\n", `source "a" has the pipeline "newest"`, "latest"},
		{"a negative pipeline", head + "  - {name: a, job: b, pipeline: -5}\n", `source "a" has the pipeline "-5"`, "address"},
		{"a negative merge request", head + "  - {name: a, job: b, mr: -5}\n", `source "a" has a negative number`, "start at 1"},
		{"job-id and ref", head + "  - {name: a, job-id: 5, ref: c}\n", `source "a" has a job-id and other keys`, "defaults"},
		{"an unquoted @", head + "  - name: a\n    ref: @default\n", "artifetch.yml:4:1: found character that cannot start any token", "begin with @"},
		{"an empty ref among others", head + "  - {name: a, job: b, ref: [c, '']}\n", `source "a" has an empty ref`, "leave it out"},
		{"a ref that is a mapping", head + "  - {name: a, job: b, ref: {c: d}}\n", "ref is a mapping, not a list", "dash"},
		{"the upstream pipeline", head + "  - {name: a, job: b, pipeline: upstream}\n", `for the upstream pipeline`, "locked"},
		{"the root pipeline", head + "  - {name: a, job: b, pipeline: root}\n", `for the root pipeline`, "locked"},
		{"no ref", head + "  - {name: a, job: b}\n", `source "a" has no ref`, "ref has no default"},
		{"latest without a ref", head + "  - {name: a, job: b, pipeline: latest}\n", `source "a" has no ref`, ""},
		{"job-id and job", head + "  - {name: a, job-id: 5, job: b}\n", `source "a" has a job-id and other keys`, "defaults"},
		{"two pipelines", head + "  - {name: a, job: b, mr: 5, pipeline: '7'}\n", `source "a" selects a pipeline in several ways`, "keep one"},
		{"current", head + "  - {name: a, job: b, pipeline: current}\n", `for the current pipeline`, "locked"},
		{"a short SHA", head + "  - {name: a, job: b, sha: abc123}\n", `a sha that isn't a full commit SHA`, "git rev-parse abc123"},
		{"no digest", head + "  - {name: a, job: b, ref: c, sha256: abc}\n", `a sha256 that isn't a SHA-256`, "64"},
		{"a ref beside a pipeline", head + "  - {name: a, job: b, ref: c, pipeline: 5}\n", `source "a" has both pipeline and ref`, "only pipeline: latest"},
		{"refs beside a merge request", head + "  - {name: a, job: b, ref: [c, d], mr: 5}\n", `source "a" has both mr and ref`, "leave one of them out"},
		{"a ref beside a pipeline of the defaults", "version: 1\ndefaults: {project: p, pipeline: 5}\nsources: [{name: a, job: b, ref: c}]\n", `source "a" has both pipeline and ref`, "keys in defaults count"},
		{"if-missing", head + "  - {name: a, job: b, ref: c, if-missing: no}\n", `isn't fail, warn or ignore`, ""},
		{"output leads out", head + "  - {name: a, job: b, ref: c, output: x/../../y}\n", `has an output outside`, "below"},
		{"absolute output", head + "  - {name: a, job: b, ref: c, output: /etc}\n", `has an output outside`, "below"},
		{"negative", head + "  - {name: a, job: b, ref: c, strip-components: -1}\n", `negative strip-components`, "0 means none"},
		{"variable not set", head + "  - {name: a, job: b, ref: '${NOTHING}'}\n", "artifetch.yml:3:28: ${NOTHING} is not set", "set the variable"},
		{"variable empty", head + "  - {name: a, job: b, ref: '${EMPTY}'}\n", "${EMPTY} is not set", ""},
		{"variable with a default", head + "  - {name: a, job: b, ref: '${BRANCH:-main}'}\n", "${BRANCH:-main} isn't the name of a variable", "no other forms"},
		{"variable where none may be", head + "  - {name: a, job: b, ref: c, paths: ['${BRANCH}']}\n", "${BRANCH} isn't allowed here", "output"},
		{"a token of an instance by its value", head + "  - {name: a, job: b, ref: '${CORPORATE}'}\n", "${CORPORATE} contains what looks like a token", "reads tokens from"},
		{"a token by its value", head + "  - {name: a, job: b, ref: '${HIDDEN}'}\n", "${HIDDEN} contains what looks like a token", "reads tokens from"},
		{"a token", head + "  - {name: a, job: b, ref: '${CI_JOB_TOKEN}'}\n", "${CI_JOB_TOKEN} looks like a secret", "reads tokens from"},
	}
	for _, tt := range tests {
		text := tt.text
		if strings.HasPrefix(text, head) && !strings.Contains(text, "---") {
			text += "defaults: {project: p}\n" // at the end, so that lines count as they stand
		}
		_, err := read(text)
		mistake, ok := errors.AsType[*manifest.Error](err)
		if !ok || !strings.Contains(err.Error(), tt.want) || !strings.Contains(mistake.Hint(), tt.fix) {
			t.Errorf("%s: %v (%+v), want %q and %q", tt.name, err, mistake, tt.want, tt.fix)
		}
		if err != nil && strings.Contains(err.Error(), "glcbt-") || err != nil && strings.Contains(err.Error(), "glpat-") {
			t.Errorf("%s: a token is in the message", tt.name)
		}
	}
}

// A list of refs is tried in its order, @default included; a source of one pipeline,
// commit or merge request needs none.
func TestRefs(t *testing.T) {
	t.Parallel()
	m, err := read("version: 1\ndefaults: {project: p, job: b, ref: [\"${BRANCH}\", \"@default\"]}\nsources: [{name: a}, {name: newest, pipeline: latest}, {name: one, ref: main}, {name: mr, mr: 7}, {name: id, pipeline: '9'}, {name: sha, sha: '0123456789abcdef0123456789abcdef01234567'}]\n")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]string{{"release/2.x", "@default"}, {"release/2.x", "@default"}, {"main"}, {""}, {""}, {""}} {
		q := m.Sources[i].JobQuery()
		if diff := cmp.Diff(want, append([]string{q.Ref}, q.MoreRefs...)); diff != "" || q.Validate() != nil {
			t.Errorf("%s: %v, %s", m.Sources[i].Name, q.Validate(), diff)
		}
	}
	byID, err := read("version: 1\ndefaults: {project: p, ref: main, recent: true}\nsources: [{name: a, job-id: 5}]\n")
	if err != nil || byID.Sources[0].JobQuery().Ref != "" {
		t.Errorf("a job's ID beside the ref of defaults: %v", err)
	}
	one, several := m.Sources[2], m.Sources[0]
	old := manifest.Locked{Asked: "2c4d"} // of neither
	if old.IsFor(one) || old.IsFor(several) || one.Fingerprint() == several.Fingerprint() {
		t.Error("fingerprints of one ref and several")
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "artifetch.lock")
	if l, err := manifest.ReadLock(t.Context(), file); err != nil || len(l.Sources) != 0 {
		t.Errorf("a lock file that is not there: %+v, %v", l, err)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 678, time.FixedZone("", 3600))
	a := manifest.Locked{Name: "a", JobID: 5_000_000_000, ResolvedAt: at, Files: []manifest.LockFile{{Path: "z", Name: "z", Mode: "0644", SHA256: strings.Repeat("1", 64)}, {Path: "b", Name: "b", Target: "<x>"}}}
	b := manifest.Locked{Name: "b", ResolvedAt: at}
	one, err := manifest.Lock{Sources: []manifest.Locked{a, b}}.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	other, err := manifest.Lock{Sources: []manifest.Locked{b, a}}.Bytes()
	if err != nil || string(one) != string(other) || !json.Valid(one) || !strings.Contains(string(one), `"target":"<x>"`) || !strings.Contains(string(one), `"2026-01-02T02:04:05Z"`) {
		t.Errorf("%v\n%s\n%s", err, one, other)
	}
	if err := os.WriteFile(file, one, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := manifest.ReadLock(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if found, ok := l.Find("a"); !ok || found.JobID != 5_000_000_000 || found.Files[0].Path != "b" {
		t.Errorf("%+v", found)
	}
	if _, ok := l.Find("c"); ok {
		t.Error("c was found")
	}
	for _, text := range []string{"", "{", `{"version": 3}`, `{"sources": []}`, `{"version": 1, "more": 1}`, "{\"version\": 2,\n<<<<<<< HEAD\n\"sources\": []\n=======\n\"sources\": []\n>>>>>>> b\n}"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := manifest.ReadLock(t.Context(), file); err == nil {
			t.Errorf("%q is a lock file", text)
		}
	}
}

// A branch doesn't look like a token because of a few letters in it.
func TestNoToken(t *testing.T) {
	t.Parallel()
	if _, err := read("version: 1\nsources:\n  - {name: a, project: p, job: b, ref: '${GLOW}'}\n"); err != nil {
		t.Error(err)
	}
}

// What is asked decides whether a lock entry fits, and nothing else.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	s := manifest.Source{Name: "a", Query: manifest.Query{Job: "b", Ref: []string{"c"}}}
	same, other := s, s
	same.Name = "other"
	other.Paths = []string{"d"}
	if s.Fingerprint() != same.Fingerprint() || s.Fingerprint() == other.Fingerprint() {
		t.Errorf("%s, %s, %s", s.Fingerprint(), same.Fingerprint(), other.Fingerprint())
	}
}
