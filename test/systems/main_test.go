//go:build systems

// Package systems runs the program for other systems: for windows/amd64 in wine, and for
// linux/arm64 in qemu. The simulated GitLab runs on this one. `make systems` installs
// both, and runs the tests.
package systems

import (
	"testing"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
