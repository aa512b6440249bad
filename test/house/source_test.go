// Package house holds the rules for the project's source.
package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"testing"
)

// root is the project's root directory.
var root = os.DirFS("../..")

// source is a Go file of the project.
type source struct {
	path, pkg string // from the root; the root package is "."
	test      bool
	*ast.File
	set *token.FileSet
}

// sources parses all files of the project, once.
var sources = sync.OnceValues(func() (all []source, err error) {
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && name != "." && (entry.Name()[0] == '.' || entry.Name() == "testdata") {
			return fs.SkipDir // such as what a runner has left
		}
		if err != nil || entry.IsDir() || path.Ext(name) != ".go" {
			return err
		}
		s := source{path: name, pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), set: token.NewFileSet()}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		s.File, err = parser.ParseFile(s.set, name, text, parser.ParseComments|parser.SkipObjectResolution)
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

// functions returns the names of a file's functions, without methods.
func (s source) functions() (names []string) {
	for _, d := range s.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
			names = append(names, f.Name.Name)
		}
	}
	return names
}
