package manifest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/manifest"
)

// A lock file is what Bytes writes; anything else is refused before it is believed.
func TestMistakenLocks(t *testing.T) {
	t.Parallel()
	sum := strings.Repeat("a", 64)
	file := func(more string) string {
		return fmt.Sprintf(`{"name": "a", "job_id": 5, "files": [{"path": "d/f", "name": "f", "mode": "0644", "size": 1, "sha256": %q}%s]}`, sum, more)
	}
	changed := func(from, to string) string { return strings.Replace(file(""), from, to, 1) }
	for _, tt := range []struct{ name, sources, behind, want string }{
		{"whole", file(""), " \n", ""},
		{"a link", changed(`"mode": "0644", "size": 1, "sha256": "`+sum+`"`, `"target": "../x"`), "", ""},
		{"one that may be missing", `{"name": "a", "files": []}`, "", ""},
		{"no files, as of directories alone", `{"name": "a", "job_id": 5, "files": []}`, "", ""},
		{"something behind", file(""), "x", "after its end"},
		{"two lock files", file(""), `{"version": 1}`, "after its end"},
		{"two sources", file("") + "," + file(""), "", `two sources "a"`},
		{"two files", file(", " + `{"path": "d/f", "name": "f", "mode": "0644", "sha256": "` + sum + `"}`), "", `"d/f" twice`},
		{"no list", `{"name": "a", "job_id": 5}`, "", "no list of files"},
		{"null for a list", `{"name": "a", "job_id": 5, "files": null}`, "", "no list of files"},
		{"a name", `{"name": "\u001b[31m", "files": []}`, "", "no source can have"},
		{"a negative job", changed(`"job_id": 5`, `"job_id": -5`), "", "negative"},
		{"a negative size", changed(`"job_id": 5`, `"job_id": 5, "size": -1`), "", "negative"},
		{"files without a job", changed(`"job_id": 5, `, ""), "", "no job"},
		{"a digest of the archive", changed(`"job_id": 5`, `"job_id": 5, "sha256": "0"`), "", "isn't a SHA-256"},
		{"parent", changed("d/f", "../f"), "", "outside"},
		{"parent below", changed("d/f", "d/../../f"), "", "outside"},
		{"absolute", changed("d/f", "/etc/passwd"), "", "outside"},
		{"not clean", changed("d/f", "d//f"), "", "outside"},
		{"the directory", changed("d/f", "."), "", "outside"},
		{"no path", changed("d/f", ""), "", "outside"},
		{"control characters", changed("d/f", `d/\u001b`), "", "control"},
		{"no name", changed(`"name": "f"`, `"name": ""`), "", "without its name"},
		{"mode", changed("0644", "x"), "", "mode"},
		{"no mode", changed("0644", ""), "", "mode"},
		{"sticky mode", changed("0644", "1777"), "", "mode"},
		{"negative size", changed(`"size": 1`, `"size": -1`), "", "negative size"},
		{"no digest", changed(sum, ""), "", "isn't a SHA-256"},
		{"short digest", changed(sum, "aa"), "", "isn't a SHA-256"},
		{"capital digest", changed(sum, strings.ToUpper(sum)), "", "isn't a SHA-256"},
		{"file and link", changed(`"size": 1`, `"target": "x"`), "", "both"},
	} {
		name := filepath.Join(t.TempDir(), "artifetch.lock")
		if err := os.WriteFile(name, []byte(`{"version": 1, "sources": [`+tt.sources+"]}"+tt.behind), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := manifest.ReadLock(t.Context(), name)
		if tt.want == "" && err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if mistake, ok := errors.AsType[*manifest.Error](err); tt.want != "" && (!ok || !strings.Contains(err.Error(), tt.want) || mistake.Hint() == "") {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// Mistakes of the file as a whole are described without Go's types, and a byte order mark
// is ignored, as in the manifest.
func TestMistakenLockTexts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"[]": "it isn't a lock file: it is a list, not a JSON object", `"x"`: "it is a string, not a JSON object", "5": "it is a number, not a JSON object", "": "it is empty", " \n": "it is empty",
		`{"version": "2"}`: "version is a string", `{"version": 2.5}`: "version is the number 2.5", `{"version": [2]}`: "version is a list", `{"version": 2, "sources": {}}`: "sources is an object",
		`{"version": -1, "sources": []}`: "version -1 is not known", `{"version": 0}`: "version 0 is not known", `{"sources": []}`: "it has no version",
		`{"version": 9}`: "version 9 is not known", `{"version": 9, "new": 1}`: "version 9 is not known", `{"version": 2, "sources": [`: "its end is missing",
		`{"version": 2, "sources": [{"name": "a", "resolved_at": "yesterday"}]}`: "a resolved_at isn't a time", `{"version": 2, "sources": [{"name": "a", "resolved_at": 5}]}`: "a resolved_at isn't a time",
		"{\n  \"version\": 2,\n  }\n": "line 3 isn't JSON from column 3 on", `{"version" 2}`: "line 1 isn't JSON from column 12 on", "x": "line 1 isn't JSON from column 1 on",
		`{"version": 2, "new": 1}`: `unknown field "new"`, "\ufeff" + `{"version": 2, "sources": []}`: "", "\ufeff": "it is empty",
	} {
		name := filepath.Join(t.TempDir(), "artifetch.lock")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := manifest.ReadLock(t.Context(), name)
		if (want == "") != (err == nil) || err != nil && (!strings.HasSuffix(err.Error(), want) || strings.Contains(err.Error(), "json:")) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
