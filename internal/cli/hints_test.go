package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/console"
)

// hintError is an error with a hint, as a lower package could return it.
type hintError struct{ hint string }

func (hintError) Error() string  { return "x" }
func (e hintError) Hint() string { return e.hint }

// hintsWithFlags are the texts in the table of hints that name flags.
func hintsWithFlags(t *testing.T) (hints []string) {
	t.Helper()
	files, err := filepath.Glob("internal/failure/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || strings.HasSuffix(file, "flags.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING && strings.Contains(text.Value, "--") {
				hint, err := strconv.Unquote(text.Value)
				if err != nil {
					t.Fatal(err)
				}
				hints = append(hints, hint)
			}
			return true
		})
	}
	if len(hints) < 30 {
		t.Fatalf("%d hints", len(hints))
	}
	return hints
}

// commandIn finds a command line in a hint, ignoring the program's name before each
// message.
var commandIn = regexp.MustCompile(`artifetch ([a-z]+) `)

// A hint names flags of the failed command, or of the command line that it suggests: this
// tests each hint with each command. For sync, keys of the manifest replace flags.
func TestHintsNameFlagsOfTheCommand(t *testing.T) {
	t.Parallel()
	hints, flag := hintsWithFlags(t), regexp.MustCompile(`--([a-z0-9]+(?:-[a-z0-9]+)*)`)
	try := func(path string, flags []cli.Flag) {
		t.Helper()
		app := newApp(console.New(strings.NewReader(""), new(strings.Builder), new(strings.Builder)))
		known, shown := append(flagNames(slices.Concat(flags, app.Flags)), "mount", "secret", "build-arg"), 0 // these are Docker's
		for _, hint := range hints {
			var errs strings.Builder
			failure.Report(console.New(nil, nil, &errs), hintError{hint}, flagsOf(app, append([]string{"artifetch", "-q"}, strings.Fields(path)...)))
			for _, named := range flag.FindAllStringSubmatch(errs.String(), -1) {
				shown++
				if slices.ContainsFunc(commandIn.FindAllStringSubmatch(errs.String(), -1), func(other []string) bool {
					return slices.Contains(flagNames(commandAt(app, other[1:]).Flags), named[1])
				}) {
					continue
				}
				if !slices.Contains(known, named[1]) {
					t.Errorf("%s: %s", path, errs.String())
				}
			}
		}
		if shown < 5 { // the flags of all commands
			t.Errorf("%s: %d flags are named", path, shown)
		}
	}
	app := newApp(console.New(strings.NewReader(""), new(strings.Builder), new(strings.Builder)))
	for _, c := range app.Commands {
		if len(c.Subcommands) == 0 {
			try(c.Name, c.Flags)
		}
		for _, sub := range c.Subcommands {
			try(c.Name+" "+sub.Name, sub.Flags)
		}
	}
}
