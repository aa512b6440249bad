//go:build !linux

package extract

import (
	"errors"
	"os"
)

// renameNew is not there; see rename_linux.go.
func renameNew(_, _ *os.File, _ string) error { return errors.ErrUnsupported }
