// Package harness is what the tests of the whole program share. [Main] starts a package's
// tests: it puts the program into their path and runs them in the project's root
// directory. The rest finds tools and looks at what the program did.
package harness

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"gitlab.com/artifetch/artifetch/internal/program"
)

// Update tells a test to rewrite the files it compares with.
var Update = flag.Bool("update", false, "rewrite the files that tests compare with")

// Main runs the tests of a package, and doesn't return. They find the program in their
// path, as artifetch: it is the test binary itself, so nothing else is built, and it has
// a race detector if they have one. Relative paths are those of the project's root.
func Main(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"artifetch": program.Main})
}

// tests are a package's, in the root directory. Only the tests go there: the program
// stays where it is started.
type tests struct{ *testing.M }

// Run implements [testscript.TestingM].
func (t tests) Run() int {
	// go test starts them in the directory of their package, which is below test/. The
	// race detector makes a program sleep for a second before it ends.
	if err := errors.Join(os.Chdir("../.."), os.Setenv("GORACE", "atexit_sleep_ms=0")); err != nil {
		panic(err)
	}
	return t.M.Run()
}

// Need finds tools, and returns the path of the last one. It skips the test if one isn't
// installed. In CI that is a failure: .ci/tools installs everything that the tests need.
func Need(t *testing.T, tools ...string) (path string) {
	t.Helper()
	for _, tool := range tools {
		found, err := exec.LookPath(tool)
		if err != nil && os.Getenv("CI") != "" {
			t.Fatalf("%v: .ci/tools must install it", err)
		}
		if err != nil {
			t.Skipf("%s is not installed", tool)
		}
		path = found
	}
	return path
}
