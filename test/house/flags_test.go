package house

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// foreignReads is how many times a file reads a flag that another file declares. The
// number may only become smaller.
const foreignReads = 59

// A flag is read by its name only in the file that declares it: the file of its command,
// or of a group of flags that commands share. The rest gets options.
func TestFlagsAreReadWhereTheyAreDeclared(t *testing.T) {
	t.Parallel()
	var found []string
	reads := 0
	for _, s := range program(t) {
		declared := s.flagsDeclared()
		for _, read := range s.flagsRead() {
			reads++
			if !slices.Contains(declared, read) {
				found = append(found, s.path+": "+read)
			}
		}
	}
	if reads < 50 {
		t.Errorf("only %d flags are read: the test looks for the wrong thing", reads)
	}
	if len(found) > foreignReads {
		t.Errorf("%d reads of flags that another file declares, more than %d; read a flag where it is declared, and pass it on in a struct:\n%s",
			len(found), foreignReads, strings.Join(found, "\n"))
	}
}

// flagsDeclared returns the names in literals such as &cli.BoolFlag{Name: "quiet"}.
func (s source) flagsDeclared() (names []string) {
	ast.Inspect(s.File, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok || !isCLI(literal.Type, "BoolFlag", "StringFlag", "StringSliceFlag", "IntFlag", "Int64Flag", "DurationFlag", "GenericFlag") {
			return true
		}
		for _, element := range literal.Elts {
			if pair, ok := element.(*ast.KeyValueExpr); ok && pair.Key.(*ast.Ident).Name == "Name" {
				names = append(names, text(pair.Value))
			}
		}
		return true
	})
	return names
}

// flagsRead returns the names in calls such as c.Bool("quiet"), where c is a parameter of
// type *cli.Context.
func (s source) flagsRead() (names []string) {
	contexts := map[string]bool{}
	ast.Inspect(s.File, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok {
			if pointer, ok := f.Type.(*ast.StarExpr); ok && isCLI(pointer.X, "Context") {
				for _, name := range f.Names {
					contexts[name.Name] = true
				}
			}
		}
		return true
	})
	ast.Inspect(s.File, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if of, ok := method.X.(*ast.Ident); ok && contexts[of.Name] && text(call.Args[0]) != "" {
			names = append(names, text(call.Args[0]))
		}
		return true
	})
	return names
}

// isCLI reports whether an expression is one of these names of package cli.
func isCLI(e ast.Expr, names ...string) bool {
	selected, ok := e.(*ast.SelectorExpr)
	if !ok || !slices.Contains(names, selected.Sel.Name) {
		return false
	}
	pkg, ok := selected.X.(*ast.Ident)
	return ok && pkg.Name == "cli"
}

// text is the value of a string literal, or empty.
func text(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return ""
	}
	value, _ := strconv.Unquote(literal.Value) // it has been parsed
	return value
}
