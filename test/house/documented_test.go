package house

import (
	"go/ast"
	"go/token"
	"testing"
)

// Everything that a package exports has a comment: its functions, types, constants and
// variables, and the methods of its exported types. A group can share a comment.
func TestExportedIsDocumented(t *testing.T) {
	t.Parallel()
	for _, s := range program(t) {
		for _, d := range s.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s: %s has no comment", s.path, name)
			}
		}
	}
}

func undocumented(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || receiver(d).IsExported()) {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		if d.Doc != nil || d.Tok == token.IMPORT {
			return nil
		}
		for _, spec := range d.Specs {
			names = append(names, undocumentedSpec(spec)...)
		}
	}
	return names
}

func undocumentedSpec(spec ast.Spec) (names []string) {
	var idents []*ast.Ident
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if spec.Doc == nil && spec.Comment == nil {
			idents = []*ast.Ident{spec.Name}
		}
	case *ast.ValueSpec:
		if spec.Doc == nil && spec.Comment == nil {
			idents = spec.Names
		}
	}
	for _, id := range idents {
		if id.IsExported() {
			names = append(names, id.Name)
		}
	}
	return names
}

// receiver returns the name of a method's type.
func receiver(f *ast.FuncDecl) (name *ast.Ident) {
	ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == nil { // the first one: type parameters follow
			name = id
		}
		return name == nil
	})
	return name
}
