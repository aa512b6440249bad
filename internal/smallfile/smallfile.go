// Package smallfile reads files that should be small: tokens, certificates,
// manifests. If a path leads to /dev/zero or a disk image by mistake, reading it must
// not use up the memory.
package smallfile

import (
	"context"
	"fmt"
	"io"
	"os"

	"gitlab.com/artifetch/artifetch/internal/ctxio"
)

// TooLargeError reports a file that is larger than expected.
type TooLargeError struct {
	Name  string
	Limit int64 // bytes
}

// Error implements error.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s is larger than %s, the limit for such a file", e.Name, size(e.Limit))
}

// Hint says what to do next.
func (*TooLargeError) Hint() string { return "check the path: it seems to name another file" }

func size(n int64) string {
	if n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// Read returns the content of a file. If it has more than limit bytes, a multiple of
// 1 KiB, Read returns a [*TooLargeError], and reads no more than limit+1 bytes. Pipes
// and /dev/stdin are read to the end. Opening or reading a pipe may block forever: once ctx
// has ended, Read returns its cause.
func Read(ctx context.Context, name string, limit int64) ([]byte, error) {
	return ctxio.Await(ctx, func() ([]byte, error) { return read(name, limit) })
}

func read(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() > limit {
		return nil, &TooLargeError{name, limit}
	}
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(content)) > limit:
		return nil, &TooLargeError{name, limit}
	}
	return content, nil
}
