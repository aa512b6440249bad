// Package delivery tests what users get: the docs, examples in help, components,
// packages, images, the installer, completion in shells, and the project's own pipeline.
package delivery

import (
	"testing"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
