package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// source is a Go file of the project.
type source struct {
	path, pkg string // by slashes, from the root; the root package is "."
	test      bool
	*ast.File
	set *token.FileSet
}

// sources parses all files of the project, once.
var sources = sync.OnceValues(func() (all []source, err error) {
	err = filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && name != "." && (entry.Name()[0] == '.' || entry.Name() == "testdata") {
			return filepath.SkipDir // such as what a runner has left
		}
		if err != nil || entry.IsDir() || filepath.Ext(name) != ".go" {
			return err
		}
		name = filepath.ToSlash(name)
		s := source{path: name, pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), set: token.NewFileSet()}
		s.File, err = parser.ParseFile(s.set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		all = append(all, s)
		return err
	})
	return all, err
})

// program returns the files that aren't tests.
func program(t *testing.T) []source {
	t.Helper()
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	var files []source
	for _, s := range all {
		if !s.test {
			files = append(files, s)
		}
	}
	if len(files) < 100 {
		t.Fatalf("only %d files", len(files))
	}
	return files
}
