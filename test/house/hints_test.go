package house

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var flagInText = regexp.MustCompile(`(?:^|[^a-z0-9-])(--[a-z]+(?:-[a-z]+)*)`)

// foreignFlags are other programs' flags, which messages may name.
var foreignFlags = []string{"--build-arg", "--long"}

// flagRooms are the packages that may name flags: the command line and other programs.
var flagRooms = regexp.MustCompile(`^(internal/(cli|bench|sbom|gitlabtest|demo)(/.*)?|test/.*|\.)$`)

// Packages below the command line don't name its flags: hints that do are in
// internal/cli/internal/failure/hints.go.
func TestNoFlagsBelowTheCommandLine(t *testing.T) {
	t.Parallel()
	for _, s := range program(t) {
		if flagRooms.MatchString(s.pkg) {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			text, ok := n.(*ast.BasicLit)
			if !ok || text.Kind != token.STRING {
				return true
			}
			for _, found := range flagInText.FindAllStringSubmatch(text.Value, -1) {
				if !slices.Contains(foreignFlags, found[1]) {
					t.Errorf("%s: %s knows the flag %s", s.set.Position(text.Pos()), strings.TrimSpace(text.Value), found[1])
				}
			}
			return true
		})
	}
}
