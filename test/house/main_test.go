// Package house holds the rules for the project's source.
package house

import (
	"os"
	"testing"
)

// TestMain runs the tests in the project's root directory.
func TestMain(m *testing.M) {
	if err := os.Chdir("../.."); err != nil {
		panic(err)
	}
	m.Run()
}
