// Package script runs the scripts of testdata/script.
package script

import (
	"testing"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
