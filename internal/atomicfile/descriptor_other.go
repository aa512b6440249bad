//go:build !unix

package atomicfile

import "os"

// descriptor returns nil: descriptors have no paths here.
func descriptor(string) func() (*os.File, error) { return nil }
