package house

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Only the file that declares a flag reads it by name: the file of its command, or of a
// group of flags that commands share. Other code gets options.
func TestFlagsAreReadWhereTheyAreDeclared(t *testing.T) {
	t.Parallel()
	reads := 0
	for _, s := range program(t) {
		declared := s.flagsDeclared()
		for _, read := range s.flagsRead() {
			reads++
			if slices.Contains(declared, read) {
				continue
			}
			t.Errorf("%s reads --%s, which another file declares: read a flag where it is declared, and pass it on in a struct", s.path, read)
		}
	}
	if reads < 50 {
		t.Errorf("only %d flags are read: the test looks for the wrong thing", reads)
	}
}

// flagsDeclared returns the names in literals such as &cli.BoolFlag{Name: "quiet"}.
func (s source) flagsDeclared() (names []string) {
	ast.Inspect(s.File, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok || !strings.HasSuffix(ofCLI(literal.Type), "Flag") {
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
			if pointer, ok := f.Type.(*ast.StarExpr); ok && ofCLI(pointer.X) == "Context" {
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

// ofCLI returns the name of something in package cli, or an empty one.
func ofCLI(e ast.Expr) string {
	selected, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if pkg, ok := selected.X.(*ast.Ident); !ok || pkg.Name != "cli" {
		return ""
	}
	return selected.Sel.Name
}

// text returns the value of a string literal, or an empty string.
func text(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return ""
	}
	value, _ := strconv.Unquote(literal.Value) // it has been parsed already
	return value
}
