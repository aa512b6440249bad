package retrieve

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/resolve"
)

func TestOutput(t *testing.T) {
	t.Parallel()
	a := resolve.Artifact{JobName: "build: [linux, amd64]", PipelineID: 9, Ref: "release/2.X", Project: "group/lib"}
	tests := []struct{ output, dir, prefix, of string }{
		{"out", "out", "", "out"},
		{"/abs/out", "/abs/out", "", "/abs/out"},
		{"out/{job_slug}/bin", "out", "build---linux--amd64/bin", "out/build---linux--amd64/bin"},
		{"{pipeline}-{ref_slug}", ".", "9-release-2-x", "9-release-2-x"},
		{"/{project}", "/", "group-lib", "/group-lib"},
		{"a/b/x{job}", "a/b", "xbuild: [linux, amd64]", "a/b/xbuild: [linux, amd64]"},
	}
	for _, tt := range tests {
		o, err := ParseOutput(tt.output)
		if err != nil {
			t.Fatal(err)
		}
		prefixes, err := o.prefixes([]resolve.Artifact{a})
		if err != nil || o.Dir != tt.dir || prefixes[0] != tt.prefix || o.Of(a) != tt.of {
			t.Errorf("%s: %q, %q, %q, %v", tt.output, o.Dir, prefixes, o.Of(a), err)
		}
	}
	for _, output := range []string{"out/{jobs}", "out/{", "{job", "a}b"} {
		_, err := ParseOutput(output)
		if e, ok := errors.AsType[*UnknownWordError](err); !ok || !slices.Contains(e.Known, "{ref_slug}") {
			t.Errorf("%s: %v", output, err)
		}
	}
}

// A file's name can contain placeholders, too. Two archives never get the same name.
func TestArchiveNames(t *testing.T) {
	t.Parallel()
	a := resolve.Artifact{JobName: "a/b", JobID: 1, PipelineID: 9, Ref: "main"}
	for _, tt := range []struct{ file, dir, path, of string }{
		{"a.zip", ".", "a.zip", "a.zip"},
		{"/a.zip", "/", "a.zip", "/a.zip"},
		{"out/sub/a.zip", "out/sub", "a.zip", "out/sub/a.zip"},
		{"out/{pipeline}/{job}.zip", "out", "9/a-b.zip", "out/9/a-b.zip"},
	} {
		o, err := ParseArchive(tt.file)
		if err != nil {
			t.Fatal(err)
		}
		paths, err := o.prefixes([]resolve.Artifact{a})
		if err != nil || o.Dir != tt.dir || paths[0] != tt.path || o.Of(a) != tt.of {
			t.Errorf("%s: %q, %q, %q, %v", tt.file, o.Dir, paths, o.Of(a), err)
		}
	}
	for _, file := range []string{"out/{jobs}.zip", "{jobs}/a.zip", "out/{"} {
		if _, err := ParseArchive(file); !is[*UnknownWordError](err) {
			t.Errorf("%s: %v", file, err)
		}
	}
	for _, file := range []string{"out.zip", "{pipeline}.zip", "{job}.zip"} {
		o, err := ParseArchive(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.prefixes([]resolve.Artifact{a, {JobName: "a-b", JobID: 2, PipelineID: 9}}); !is[*OneFileError](err) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// A placeholder without a value is an error, not an empty name: all jobs would share a
// directory.
func TestOutputUnknownValues(t *testing.T) {
	t.Parallel()
	for word, a := range map[string]resolve.Artifact{
		"{pipeline}": {JobName: "x", Ref: "main", Project: "1"},
		"{job}":      {PipelineID: 1, Ref: "main", Project: "1"},
		"{job_slug}": {JobName: "測試", PipelineID: 1, Ref: "main", Project: "1"},
		"{ref_slug}": {JobName: "x", PipelineID: 1, Project: "1"},
		"{report}":   {JobName: "x", PipelineID: 1, Ref: "main", Project: "1"},
	} {
		o, err := ParseOutput("out/x-" + word)
		if err != nil {
			t.Fatal(err)
		}
		_, err = o.prefixes([]resolve.Artifact{{JobName: "x", PipelineID: 1, Ref: "main", Project: "1", Report: resolve.Report{Type: "junit"}}, a})
		if e, ok := errors.AsType[*UnknownValueError](err); !ok || e.Word != word || e.Artifact.Project != "1" {
			t.Errorf("%s: %v", word, err)
		}
	}
}

// A job that is named "." doesn't get the directory, or file, above its own.
func TestOutputDots(t *testing.T) {
	t.Parallel()
	for output, refused := range map[string]bool{"out/{job}": true, "out/{job}/x": true, "out/./x/{job}/./y": true, "out/{job}.d": false, "{pipeline}{job}": false, "./{pipeline}": false} {
		for _, parse := range []func(string) (Output, error){ParseOutput, ParseArchive} {
			o, err := parse(output)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := o.prefixes([]resolve.Artifact{{JobName: ".", JobID: 1, PipelineID: 9}}); is[*extract.ConflictError](err) != refused || !refused && err != nil {
				t.Errorf("%s: %v", output, err)
			}
		}
	}
}

// A slug can be empty even if the name is known.
func TestEmptySlugs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		word  string
		a     resolve.Artifact
		empty bool
	}{
		{"{job_slug}", resolve.Artifact{JobName: "-/.."}, true},
		{"{job_slug}", resolve.Artifact{JobID: 7}, false},
		{"{ref_slug}", resolve.Artifact{Ref: "測試"}, true},
		{"{pipeline}", resolve.Artifact{JobName: "x", Ref: "x"}, false},
	} {
		o, err := ParseArchive(tt.word + ".zip")
		if err != nil {
			t.Fatal(err)
		}
		_, err = o.prefixes([]resolve.Artifact{tt.a})
		if e, ok := errors.AsType[*UnknownValueError](err); !ok || e.Empty() != tt.empty || strings.Contains(err.Error(), "is empty") != tt.empty || !e.File {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

func TestSlug(t *testing.T) {
	t.Parallel()
	long := "0123456789012345678901234567890123456789012345678901234567890123456789"
	for name, want := range map[string]string{"Main": "main", "-a_b/c-": "a-b-c", long: long[:63], long[:62] + "/x": long[:62]} {
		if got := slug(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
