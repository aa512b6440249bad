package house

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9]*)`")
	// A Go file, or something in one of these directories.
	pathName = regexp.MustCompile("`((?:[a-z]+/)*[a-z_0-9]+\\.go|(?:internal|test|testdata)/[A-Za-z0-9_./-]+)`")
)

// pages returns the documentation for developers and users, without the changelog.
func pages(t *testing.T) map[string]string {
	t.Helper()
	names, err := fs.Glob(root, "docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, name := range append(names, "README.md", "SECURITY.md", "CONTRIBUTING.md") {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	return texts
}

// The tests that a page names exist. Two pages say which test proves their promises.
func TestNamedTests(t *testing.T) {
	t.Parallel()
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for _, s := range all {
		for _, name := range s.functions() {
			tests[name] = s.test || tests[name]
		}
	}
	named := map[string]int{}
	for page, text := range pages(t) {
		for _, name := range testName.FindAllStringSubmatch(text, -1) {
			named[page]++
			if !tests[name[1]] {
				t.Errorf("%s names %s, and there is none", page, name[1])
			}
		}
	}
	for _, page := range []string{"docs/network.md", "SECURITY.md"} {
		if named[page] < 10 {
			t.Errorf("%s names %d tests", page, named[page])
		}
	}
}

// The files and directories that a page names exist.
func TestNamedFiles(t *testing.T) {
	t.Parallel()
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for page, text := range pages(t) {
		for _, m := range pathName.FindAllStringSubmatch(text, -1) {
			named++
			name := m[1]
			if path.Base(name) == name && slices.ContainsFunc(all, func(s source) bool { return strings.HasSuffix(s.path, "/"+name) }) {
				continue // in the package that the page describes
			}
			if _, err := fs.Stat(root, name); err != nil {
				t.Errorf("%s names %s: %v", page, name, err)
			}
		}
	}
	if named < 20 {
		t.Errorf("%d files are named", named)
	}
}
