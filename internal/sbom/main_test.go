package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"
)

// The list has every module once, those that replace others in their place, and Go's own
// library; it's in order, whatever the order in the program is.
func TestBOM(t *testing.T) {
	t.Parallel()
	info := &debug.BuildInfo{
		GoVersion: "go1.26.8",
		Main:      debug.Module{Path: "example.com/program", Version: "(devel)"},
		Deps: []*debug.Module{
			{Path: "example.com/b", Version: "v1.0.0", Sum: "h1:b"},
			{Path: "example.com/a", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/fork", Version: "v2.0.0"}},
		},
		Settings: []debug.BuildSetting{{Key: "-tags", Value: "x"}, {Key: "CGO_ENABLED", Value: "0"}, {Key: "GOARCH", Value: "arm64"}, {Key: "GOOS", Value: "linux"}},
	}
	b := newBOM(info, "v1.2.3")
	var refs []string
	for _, c := range b.Components {
		refs = append(refs, c.Ref)
	}
	want := []string{"pkg:golang/example.com/b@v1.0.0", "pkg:golang/example.com/fork@v2.0.0", "pkg:golang/std@go1.26.8"}
	if !slices.Equal(refs, want) || !slices.Equal(b.Dependencies[0].DependsOn, want) {
		t.Errorf("%v, %v", refs, b.Dependencies)
	}
	if own := b.Metadata.Component; own.Ref != "pkg:golang/example.com/program@v1.2.3" || len(own.Properties) != 3 {
		t.Errorf("%+v", own)
	}
	slices.Reverse(info.Deps)
	first, err := json.Marshal(b)
	second, err2 := json.Marshal(newBOM(info, "v1.2.3"))
	if err != nil || err2 != nil || !bytes.Equal(first, second) {
		t.Errorf("%v, %v: the order of modules counts", err, err2)
	}
}

// The document of a program, which says what it is; nothing but a program has one.
func TestDocument(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	document := filepath.Join(t.TempDir(), "sbom.json")
	if err := run([]string{"-version=v1.2.3", "-time=1700000000", self, document}); err != nil {
		t.Fatal(err)
	}
	var b bom
	content, err := os.ReadFile(document)
	if err == nil {
		err = json.Unmarshal(content, &b)
	}
	if info, failed := os.Stat(document); err != nil || failed != nil || info.ModTime().Unix() != 1700000000 || b.Metadata.Component.Version != "v1.2.3" {
		t.Errorf("%v, %v: %s", err, failed, content)
	}
	for _, args := range [][]string{{self, document}, {"-version=v1", self}, {"-version=v1", document, document + "2"}} {
		if run(args) == nil {
			t.Errorf("%v is accepted", args)
		}
	}
}
