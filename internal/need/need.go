// Package need lets tests require programs and abilities of the machine. A test without
// them is skipped on a developer's machine, but fails in CI, where it would otherwise stop
// testing unnoticed: .ci/tools installs every program that the tests need.
package need

import (
	"os"
	"os/exec"
	"testing"
)

// Tools finds programs, and returns the path of the last one.
func Tools(t testing.TB, names ...string) (path string) {
	t.Helper()
	for _, name := range names {
		found, err := exec.LookPath(name)
		if err != nil {
			Skipf(t, "%v: .ci/tools installs it", err)
		}
		path = found
	}
	return path
}

// Missing returns those of the programs that aren't installed. In CI the test fails if
// there are any.
func Missing(t testing.TB, names ...string) (missing []string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 && inCI() {
		t.Fatalf("%q are not installed: .ci/tools must install them", missing)
	}
	return missing
}

// Skipf skips the test, or fails it in CI.
func Skipf(t testing.TB, format string, args ...any) {
	t.Helper()
	if inCI() {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

func inCI() bool { return os.Getenv("CI") != "" }
