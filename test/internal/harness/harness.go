// Package harness has what the tests of the whole program share. [Main] puts the program
// into their path and runs them. Other functions find files and look at what the program
// did.
package harness

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	// This import tells go test that results depend on the program.
	_ "gitlab.com/artifetch/artifetch/internal/program"
)

// Update tells a test to rewrite the files it compares with.
var Update = flag.Bool("update", false, "rewrite the files that tests compare with")

// Root is the project's root directory. The packages that use it are two levels below it,
// and go test starts their tests there. Don't change the directory before the tests run:
// go test wouldn't see which files they read, and would reuse outdated results.
const Root = "../.."

// Main runs a package's tests and doesn't return. They find the program in their path as
// artifetch. It is built here without the race detector, which would make it start six
// times as slowly. The program's packages have their own tests for races.
func Main(m *testing.M) { MainOf(m, Root) }

// MainOf is Main with another package as the program.
func MainOf(m *testing.M, program string) {
	dir, err := os.MkdirTemp("", "artifetch-test-")
	if err != nil {
		panic(err)
	}
	build := exec.CommandContext(context.Background(), "go", "build", "-o", filepath.Join(dir, "artifetch"+suffix()), program)
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%s: %v: %s", build, err, out))
	}
	if err := os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(dir) // a temporary directory
	os.Exit(code)
}

// suffix is what the names of programs end in.
func suffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
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
