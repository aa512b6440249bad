// Package ziptest makes zip archives for tests.
package ziptest

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Copies returns an archive of that many files, named by numbers, with the same content.
func Copies(tb testing.TB, files int, content []byte, method uint16) []byte {
	tb.Helper()
	var entries []zip.FileHeader
	for i := range files {
		entries = append(entries, zip.FileHeader{Name: strconv.Itoa(i), Method: method})
	}
	return write(tb, entries, content)
}

func write(tb testing.TB, entries []zip.FileHeader, content []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	for _, header := range entries {
		e, err := w.CreateHeader(&header)
		if err != nil {
			tb.Fatal(err)
		}
		if strings.HasSuffix(header.Name, "/") {
			continue
		}
		if _, err := e.Write(content); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// AddSeeds adds the small archives in a directory, and some smaller ones, to a fuzz target.
func AddSeeds(f *testing.F, dir string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.zip"))
	if err != nil || len(files) == 0 {
		f.Fatal("no archives in", dir, err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(content) < 20<<10 {
			f.Add(content)
		}
	}
	f.Add(Tree(f))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Add([]byte{})
}

// Tree returns an archive of two files and a directory.
func Tree(tb testing.TB) []byte {
	tb.Helper()
	entries := []zip.FileHeader{{Name: "a.txt", Method: zip.Deflate}, {Name: "d/"}, {Name: "d/b.txt", Method: zip.Deflate}}
	return write(tb, entries, []byte("content content content"))
}
