//go:build realstores

// Package realstores tests the program against real object storage, and against servers that
// stand in front of it: versitygw, which checks signatures as S3 does, Azurite,
// fake-gcs-server, Apache and Varnish. `make realstores` installs them, and runs the tests.
package realstores

import (
	"os"
	"testing"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

func TestMain(m *testing.M) {
	_ = os.Setenv("TZ", "UTC") // in which Apache compares times
	harness.Main(m)
}
