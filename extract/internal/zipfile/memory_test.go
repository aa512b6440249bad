package zipfile

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// longest records the longest read.
type longest struct {
	io.ReaderAt
	n int
}

// ReadAt implements [io.ReaderAt].
func (l *longest) ReadAt(p []byte, off int64) (int, error) {
	l.n = max(l.n, len(p))
	return l.ReaderAt.ReadAt(p, off)
}

// A long directory is never in memory as a whole, and an entry allocates no more than it
// needs.
func TestDirectoryMemory(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	const long = 200 // entries with comments: 13 MB
	for i := range 20_000 {
		h := &zip.FileHeader{Name: fmt.Sprintf("%s%d", strings.Repeat("n", 100), i)}
		if i < long {
			h.Comment = strings.Repeat("c", 65_000)
		}
		if _, err := w.CreateHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	src := &longest{ReaderAt: bytes.NewReader(b.Bytes())}
	took := allocated(func() {
		entries, err := ReadDirectory(src, int64(b.Len()), unlimited{})
		if err != nil || len(entries) != 20_000 {
			t.Errorf("%d entries, %v", len(entries), err)
		}
	})
	const each = 500 // bytes, with a name of 100
	if src.n > directoryBuffer || took > directoryBuffer+20_000*each {
		t.Errorf("the longest read was of %d bytes; %d were allocated", src.n, took)
	}
}

// allocated returns how many bytes a call allocates.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
