package extract_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/extract"
)

// If sizes exceed the limit together, extraction stops before the first byte of the entry
// that exceeds it, even if the sum overflows 64 bits.
func TestTarSizesOverflow(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "a", Typeflag: tar.TypeReg, Size: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteHeader(&tar.Header{Name: "b", Typeflag: tar.TypeReg, Size: math.MaxInt64, Format: tar.FormatGNU}); err != nil {
		t.Fatal(err)
	}
	b.Write(make([]byte, 1<<20))
	var told int64
	_, err := unpack(t, b.Bytes(), t.TempDir(), extract.Options{Limits: extract.Limits{MaxBytes: 1000}, Events: extract.Events{OnFile: func(_ string, n int64) { told += n }}})
	if _, ok := errors.AsType[*extract.LimitError](err); !ok || told != 1 {
		t.Errorf("error = %v (%T) after %d bytes, want a LimitError after 1", err, err, told)
	}
}

func TestTarImpliedDirectories(t *testing.T) {
	t.Parallel()
	var items []tarItem
	for i := range 4 {
		items = append(items, tarItem{name: itoa(i) + strings.Repeat("/d", 40) + "/f", content: "x"})
	}
	_, err := unpack(t, tarOf(t, items...), t.TempDir(), extract.Options{Limits: extract.Limits{MaxFiles: 100}})
	if _, ok := errors.AsType[*extract.LimitError](err); !ok {
		t.Errorf("error = %v, want a LimitError", err)
	}
}
