package manifest

import (
	"reflect"
	"testing"
)

func sources(t *testing.T, text string) map[string]Source {
	t.Helper()
	m, err := Read("artifetch.yml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]Source{}
	for _, s := range m.Sources {
		byName[s.Name] = s
	}
	return byName
}

// The fingerprint is part of every lock file: it is written out here, and what is not
// given has no part in it, so that neither a new key nor another order of keys changes
// it.
func TestFingerprintIsOfWhatIsGiven(t *testing.T) {
	t.Parallel()
	s := sources(t, "version: 1\ndefaults: {project: group/app, ref: main}\nsources:\n  - {name: app, job: build, paths: dist/, output: app}\n")["app"]
	if got := s.Fingerprint(); got != "2814e3272ec1f0f2" {
		t.Errorf("the fingerprint has changed, and with it every lock file: %s", got)
	}
	type next struct {
		AnyPipeline bool              `yaml:"any-pipeline"`
		Headers     map[string]string `yaml:"headers"`
		Output      string            `yaml:"output"`
		Paths       []string          `yaml:"paths"`
		Exclude     []string          `yaml:"exclude"`
		Report      *string           `yaml:"report"`
		Job         string            `yaml:"job"`
		Ref         string            `yaml:"ref"`
		Project     string            `yaml:"project"`
	}
	newer := next{Output: "app", Paths: []string{"dist/"}, Exclude: []string{}, Job: "build", Ref: "main", Project: "group/app"}
	if got := fingerprint(newer); got != s.Fingerprint() {
		t.Errorf("new keys and another order make %s of %s", got, s.Fingerprint())
	}
	newer.AnyPipeline = true
	if fingerprint(newer) == s.Fingerprint() {
		t.Error("a new key that is given changes nothing")
	}
}

// Whatever a source asks for is in its fingerprint, each key under its own name.
func TestFingerprintHasEveryKey(t *testing.T) {
	t.Parallel()
	seen := map[string]string{fingerprint(Query{}): "nothing"}
	for i := range reflect.TypeFor[Query]().NumField() {
		var q Query
		switch f := reflect.ValueOf(&q).Elem().Field(i); f.Kind() {
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Slice:
			f.Set(reflect.ValueOf([]string{"7"}))
		case reflect.String:
			f.SetString("7")
		default:
			f.SetInt(7)
		}
		name := reflect.TypeFor[Query]().Field(i).Name
		if other := seen[fingerprint(q)]; other != "" {
			t.Errorf("%s has the fingerprint of %s", name, other)
		}
		seen[fingerprint(q)] = name
	}
}

// A second ref asks for something else, which the first form of fingerprints can't tell.
func TestFirstFingerprintHasOneRef(t *testing.T) {
	t.Parallel()
	s := Source{Query: Query{Project: "p", Ref: []string{"main"}, Job: "build"}}
	locked := Locked{Asked: Asked(s.Query.first())}
	if !locked.IsFor(s) {
		t.Error("one ref")
	}
	s.Ref = append(s.Ref, "next")
	if locked.IsFor(s) || (Locked{Asked: Asked(s.Query.first())}).IsFor(s) {
		t.Error("two refs")
	}
	list := Source{Query: Query{Project: "p", Ref: []string{"main,next"}, Job: "build"}}
	if list.Fingerprint() == s.Fingerprint() {
		t.Error("two refs are one with a comma")
	}
}

// Lock files of the first form hold as long as the manifest asks for the same; these
// fingerprints were made by the program that wrote them.
func TestFirstFingerprints(t *testing.T) {
	t.Parallel()
	const text = `version: 1
defaults: {project: group/app, ref: main}
sources:
  - {name: app, job: build, paths: dist/, output: app}
  - {name: docs, job: pages, output: docs}
  - {name: full, project: '1', ref: v1, job: 'b: ["x", y]', pipeline: latest, recent: true, any-status: true, downstream: true, paths: [a, 'b"'], exclude: [c], output: o, strip-components: 2, flat: true, if-missing: warn, sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}
`
	all := sources(t, text)
	for name, asked := range map[string]string{"app": "1921ab7757183256", "docs": "6382b68b0e38942c", "full": "9e8b3e1022382a3c"} {
		if !(Locked{Asked: Asked(asked)}).IsFor(all[name]) {
			t.Errorf("%s is taken for another source", name)
		}
		if !(Locked{Asked: Asked(all[name].Fingerprint())}).IsFor(all[name]) {
			t.Errorf("%s is not what was asked for", name)
		}
		changed := all[name]
		changed.Exclude = append([]string{"more"}, changed.Exclude...)
		if (Locked{Asked: Asked(asked)}).IsFor(changed) || (Locked{}).IsFor(all[name]) {
			t.Errorf("%s: what asks for something else is taken for it", name)
		}
	}
}

// What a source says counts, also where that is false, nothing or zero.
func TestSourcesOverrideDefaults(t *testing.T) {
	t.Parallel()
	all := sources(t, `version: 1
defaults: {project: group/app, ref: main, recent: true, flat: true, any-status: true, downstream: true, strip-components: 1, paths: [dist/], exclude: [x], if-missing: warn, output: out}
sources:
  - {name: takes, job: build}
  - {name: says, job: build, recent: false, flat: false, any-status: false, downstream: false, strip-components: 0, paths: [], exclude: [], if-missing: '', output: ''}
  - {name: id, job-id: 7, ref: ''}
  - &anchor {name: anchored, job: build, recent: false}
`)
	if q := all["takes"].Query; !q.Recent || !q.Flat || !q.AnyStatus || !q.Downstream || q.StripComponents != 1 || len(q.Paths) != 1 || len(q.Exclude) != 1 || q.IfMissing != "warn" || q.Output != "out" {
		t.Errorf("the defaults do not hold: %+v", q)
	}
	if got, want := all["says"].Query, (Query{Project: "group/app", Ref: []string{"main"}, Job: "build"}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if q := all["id"].Query; q.JobID != 7 || len(q.Ref) > 0 {
		t.Errorf("%+v", q)
	}
	if all["anchored"].Recent {
		t.Error("the default of recent hides what an anchored source says")
	}
}
