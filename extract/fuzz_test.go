package extract

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func seeds(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("../testdata/samples/*.zip")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(b) < 20<<10 {
			f.Add(b)
		}
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range []string{"a.txt", "d/", "d/b.txt"} {
		e, err := w.Create(name)
		if err != nil {
			f.Fatal(err)
		}
		if !strings.HasSuffix(name, "/") {
			if _, err := e.Write([]byte("content content content")); err != nil {
				f.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	zip64, err := os.ReadFile("testdata/zip64.zip") // two end records that agree
	if err != nil {
		f.Fatal(err)
	}
	f.Add(zip64)
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Add([]byte{})
}
