package extract

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
)

// A disk that fails behind the decoder's back ends the decoding, with the first
// write and with the last.
func TestBehindFails(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat(noise(100_000), 30)
	end := len(content) - 100_000 // a pipe holds less than that
	for name, takes := range map[string]int{"at once": 0, "in the middle": len(content) / 2, "at the end": end} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			archive := deflatedZip(t, content)
			entries, err := readDirectory(bytes.NewReader(archive), int64(len(archive)), Options{}.withDefaults())
			if err != nil {
				t.Fatal(err)
			}
			w := newWorker(&crew{stage: &Stage{}})
			w.in.Reset(&arrivingReader{r: bytes.NewReader(archive), moved: new(atomic.Int64), waited: new(atomic.Int64), tell: func(int) {}})
			if err := w.localHeader(entries[0]); err != nil {
				t.Fatal(err)
			}
			f := &newFile{entry: entries[0], file: outFile{fd: failingFile(t, takes)}}
			if err := w.inflateBehind(f); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("error = %v, want the file's", err)
			}
		})
	}
}

// failingFile takes n bytes, and fails then.
func failingFile(t *testing.T, n int) int {
	t.Helper()
	var ends [2]int
	if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	read := os.NewFile(uintptr(ends[0]), "pipe")
	go func() {
		_, _ = io.CopyN(io.Discard, read, int64(n)) // the writer is what is tested
		_ = read.Close()
	}()
	t.Cleanup(func() { _ = syscall.Close(ends[1]) })
	return ends[1]
}
