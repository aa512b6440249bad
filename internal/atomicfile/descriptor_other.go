//go:build !unix

package atomicfile

import "os"

// descriptor is nil: files of the process have no names.
func descriptor(string) func() (*os.File, error) { return nil }
