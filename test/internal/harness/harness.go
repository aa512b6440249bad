// Package harness is what the tests of the whole program share. [Main] starts a package's
// tests, and puts the program into their path. The rest finds tools and files, and looks
// at what the program did.
package harness

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"gitlab.com/artifetch/artifetch/internal/program"
)

// Update tells a test to rewrite the files it compares with.
var Update = flag.Bool("update", false, "rewrite the files that tests compare with")

// Root is the project's root directory. The packages that use it are two below it, and
// go test starts their tests there. Don't change the directory before the tests run: go
// test wouldn't see which files they read, and would take old results for new ones.
const Root = "../.."

// Main runs the tests of a package, and doesn't return. They find the program in their
// path, as artifetch: it is the test binary itself, so nothing else is built, and it has
// a race detector if they have one.
func Main(m *testing.M) {
	// The race detector makes a program sleep for a second before it ends.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"artifetch": program.Main})
}

// Read reads a file of the project, named by its path from the root.
func Read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(Root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
