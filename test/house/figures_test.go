package house

import (
	"go/ast"
	"go/token"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// mostFiles is the limit for Go files in one directory, not counting tests.
const mostFiles = 25

func TestFilesInOneRoom(t *testing.T) {
	t.Parallel()
	count := map[string]int{}
	for _, s := range program(t) {
		count[s.pkg]++
	}
	for pkg, n := range count {
		if n > mostFiles {
			t.Errorf("%s has %d files, and may have %d: divide it", pkg, n, mostFiles)
		}
	}
}

// The root only has the program's main. Its tests are below test/.
func TestRootHasNoTests(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(root, "*_test.go")
	if err != nil || len(files) > 2 {
		t.Errorf("%v, %v", files, err)
	}
}

// mostFileLines is the limit for the lines of nine files of ten.
const mostFileLines = 220

func TestFilesHaveOneSubject(t *testing.T) {
	t.Parallel()
	var all []int
	for _, s := range program(t) {
		if !strings.HasPrefix(s.pkg, simulated) {
			all = append(all, s.set.Position(s.File.FileEnd).Line)
		}
	}
	slices.Sort(all)
	if lines := all[len(all)*9/10]; lines > mostFileLines {
		t.Errorf("one file of ten has %d lines or more, and may have %d", lines, mostFileLines)
	}
}

// mostLines is the limit for the lines of a function, first and last included. The linter
// uses the same number for the files that it checks.
const mostLines = 60

// long are functions that may be longer.
var long = map[string]string{
	"internal/inflate fast": "the inflater's loop: calls in it cost time",
}

func TestFunctionsFitOnAScreen(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, s := range program(t) {
		for _, d := range s.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := s.pkg + " " + f.Name.Name
			n := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1
			if n <= mostLines {
				continue
			}
			found[name] = true
			if long[name] == "" {
				t.Errorf("%s: %s has %d lines, and may have %d", s.path, f.Name.Name, n, mostLines)
			}
		}
	}
	for name := range long {
		if !found[name] {
			t.Errorf("%s isn't long: remove its exception", name)
		}
	}
}

// mostComplex is the limit for the paths through a function: 1, and 1 for each condition,
// loop, case, && and ||.
const mostComplex = 15

// mostCommon is the limit for 99 of 100 functions.
const mostCommon = 12

// intricate are functions that may be more complex.
var intricate = map[string]string{
	"internal/inflate fast": "the inflater's loop: calls in it cost time",
}

// simulated is the simulator, whose functions follow GitLab's, condition by condition.
const simulated = "internal/gitlabtest"

func TestFunctionsAreSimple(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	var all []int
	for _, s := range program(t) {
		for _, d := range s.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || strings.HasPrefix(s.pkg, simulated) {
				continue
			}
			name, n := s.pkg+" "+f.Name.Name, complexity(f)
			all = append(all, n)
			if n <= mostComplex {
				continue
			}
			found[name] = true
			if intricate[name] == "" {
				t.Errorf("%s: %s has a complexity of %d, and may have %d", s.path, f.Name.Name, n, mostComplex)
			}
		}
	}
	for name := range intricate {
		if !found[name] {
			t.Errorf("%s is simple: remove its exception", name)
		}
	}
	slices.Sort(all)
	if most := all[len(all)*99/100]; most > mostCommon {
		t.Errorf("one function of 100 has a complexity of %d or more, and may have %d", most, mostCommon)
	}
}

// The garbage collector runs when the memory limit wants it to: the program neither starts
// it nor returns memory by itself. The benchmark measures, and may.
func TestNoForcedCollections(t *testing.T) {
	t.Parallel()
	for _, s := range program(t) {
		if s.pkg == "internal/bench" {
			continue
		}
		ast.Inspect(s.File, func(node ast.Node) bool {
			if x, ok := node.(*ast.SelectorExpr); ok && (x.Sel.Name == "GC" || x.Sel.Name == "FreeOSMemory") {
				t.Errorf("%s: %s", s.set.Position(x.Pos()), x.Sel.Name)
			}
			return true
		})
	}
}

func complexity(f *ast.FuncDecl) int {
	n := 1
	ast.Inspect(f, func(node ast.Node) bool {
		switch x := node.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			n++
		case *ast.CaseClause:
			if x.List != nil {
				n++
			}
		case *ast.CommClause:
			if x.Comm != nil {
				n++
			}
		case *ast.BinaryExpr:
			if x.Op == token.LAND || x.Op == token.LOR {
				n++
			}
		}
		return true
	})
	return n
}
