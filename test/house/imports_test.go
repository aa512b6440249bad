package house

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "gitlab.com/artifetch/artifetch"

// allowed says which of the module's packages each package may import, tests
// apart. Imports point one way: docs/design.md says why.
var allowed = map[string][]string{
	".":                   {"internal/program"},
	"internal/program":    {"internal/cli"},
	"env":                 {"internal/smallfile"},
	"gitlab":              {"internal/redact"},
	"resolve":             {"gitlab"},
	"fetch":               {"internal/atomicfile", "internal/redact", "internal/smallfile", "internal/space"},
	"extract":             {"internal/inflate", "internal/openfiles", "internal/printable", "internal/space"},
	"internal/smallfile":  nil,
	"internal/openfiles":  nil,
	"internal/space":      nil,
	"internal/atomicfile": nil,
	"internal/ctxio":      nil,
	"internal/inflate":    nil,
	"internal/printable":  nil,
	"internal/redact":     nil,
	"internal/transport":  {"internal/openfiles", "internal/redact", "internal/smallfile"},
	"manifest":            {"internal/printable", "internal/smallfile", "resolve"},
	"internal/cli":        {"env", "gitlab", "resolve", "fetch", "extract", "manifest", "internal/transport", "internal/atomicfile", "internal/ctxio", "internal/openfiles", "internal/printable", "internal/redact", "internal/smallfile", "internal/space"},

	// What follows is not part of the program.
	"internal/gitlabtest":          {"internal/gitlabtest/world", "internal/gitlabtest/deadend"},
	"internal/gitlabtest/world":    nil,
	"internal/gitlabtest/deadend":  nil,
	"internal/gitlabtest/simulate": {"internal/gitlabtest"},
	"internal/demo":                {"internal/gitlabtest"},
	"internal/bench":               {"internal/bench/slownet", "internal/gitlabtest", "internal/inflate"},
	"internal/bench/slownet":       nil,
	"internal/release":             nil,
	"test/internal/harness":        {"internal/gitlabtest", "internal/program"},
}

func TestImports(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && file != "." && strings.HasPrefix(entry.Name(), ".") {
			return filepath.SkipDir // what a runner has left
		}
		if err != nil || entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		checkImports(t, filepath.ToSlash(file))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkImports(t *testing.T, file string) {
	pkg := path.Dir(file)
	may, known := allowed[pkg]
	if !known {
		t.Errorf("%s: package %s is not in the list of who may import what", file, pkg)
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		own, ok := strings.CutPrefix(imported, module+"/")
		if ok && !slices.Contains(may, own) {
			t.Errorf("%s imports %s; %s may import %v", file, own, pkg, may)
		}
	}
}
