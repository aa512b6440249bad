package manifest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/manifest"
)

func query(change func(*manifest.Query)) manifest.Source {
	s := manifest.Source{Query: manifest.Query{Project: "g/a", Ref: []string{"main"}, Job: "build <all> & more", JobID: 9_007_199_254_740_993, Paths: []string{"a", "b"}}}
	change(&s.Query)
	return s
}

// What differs is said in the words of the manifest, whatever key it is.
func TestDifference(t *testing.T) {
	t.Parallel()
	locked := manifest.Locked{Asked: query(func(*manifest.Query) {}).Asked()}
	for want, change := range map[string]func(*manifest.Query){
		"":                          func(*manifest.Query) {},
		"ref main → release/2.x":    func(q *manifest.Query) { q.Ref = []string{"release/2.x"} },
		"ref main → main, @default": func(q *manifest.Query) { q.Ref = append(q.Ref, "@default") },
		"paths a, b → (none)":       func(q *manifest.Query) { q.Paths = nil },
		"recent (none) → true":      func(q *manifest.Query) { q.Recent = true },
		"job-id 9007199254740993 → 9007199254740992":             func(q *manifest.Query) { q.JobID-- },
		"job build <all> & more → x, output (none) → vendor/lib": func(q *manifest.Query) { q.Job, q.Output = "x", "vendor/lib" },
	} {
		s := query(change)
		if got := locked.Difference(s); got != want || locked.IsFor(s) != (want == "") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := (manifest.Locked{Asked: "1921ab7757183256"}).Difference(query(func(*manifest.Query) {})); got != "changed since it was locked" {
		t.Error(got)
	}
}

// A lock file keeps what was asked, whatever order a merge has left its keys in, and has a
// line for each key and each file.
func TestAskedIsKept(t *testing.T) {
	t.Parallel()
	s := query(func(*manifest.Query) {})
	text, err := manifest.Lock{Sources: []manifest.Locked{{Name: "a", Asked: s.Asked(), JobID: 1, Files: []manifest.LockFile{{Path: "l", Name: "l", Target: "x"}, {Path: "k", Name: "k", Target: "x"}}}}}.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{`        "job": "build <all> & more",`, `        "ref": "main"`, `        {"path":"k","name":"k","target":"x"},`, `        {"path":"l","name":"l","target":"x"}`} {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
	merged := strings.Replace(strings.Replace(string(text), `        "job": "build <all> & more",`+"\n", "", 1), `"asked": {`, `"asked": {"job":"build \u003call> & more", `, 1)
	for name, text := range map[string]string{"whole": string(text), "merged": merged} {
		file := filepath.Join(t.TempDir(), "artifetch.lock")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := manifest.ReadLock(t.Context(), file)
		if err != nil || len(l.Sources) != 1 || !l.Sources[0].IsFor(s) {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
}
