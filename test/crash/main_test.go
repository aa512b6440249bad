// Package crash tests that the workspace stays intact whatever goes wrong: runs are
// killed and interrupted, archives are hostile, disks are full, and limits are reached.
package crash

import (
	"testing"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
