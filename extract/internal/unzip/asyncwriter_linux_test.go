package unzip

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/ziptest"
)

// If a write fails while the decoder is busy, decoding ends, whether it is the first write
// or the last.
func TestAsyncWriterFails(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat(noise(100_000), 30)
	end := len(content) - 100_000 // a pipe holds less than that
	for name, takes := range map[string]int{"at once": 0, "in the middle": len(content) / 2, "at the end": end} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zipped := ziptest.Copies(t, 1, content, zip.Deflate)
			src := archive.FromReaderAt(bytes.NewReader(zipped), int64(len(zipped)))
			e := entriesOf(t, src)[0]
			w := newWorker(newShared(src, Options{Pace: Pace{}.withDefaults()}, func() {}))
			w.in.Reset(bytes.NewReader(zipped))
			if _, err := e.ReadLocalHeader(w.in); err != nil {
				t.Fatal(err)
			}
			if err := w.inflateAsync(e, failingFile(t, takes)); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("error = %v, want the file's", err)
			}
		})
	}
}

// failingFile accepts n bytes, then fails.
func failingFile(t *testing.T, n int) io.Writer {
	t.Helper()
	var ends [2]int
	if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	read := os.NewFile(uintptr(ends[0]), "pipe")
	go func() {
		_, _ = io.CopyN(io.Discard, read, int64(n)) // this tests the writer
		_ = read.Close()
	}()
	t.Cleanup(func() { _ = syscall.Close(ends[1]) })
	return fdWriter(ends[1])
}

// fdWriter writes to a file descriptor. Unlike [os.File], it isn't killed by SIGPIPE.
type fdWriter int

// Write implements [io.Writer].
func (f fdWriter) Write(p []byte) (int, error) {
	for written := 0; written < len(p); {
		n, err := syscall.Write(int(f), p[written:])
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return written, err
		}
		written += max(n, 0)
	}
	return len(p), nil
}
