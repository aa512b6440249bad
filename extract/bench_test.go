package extract

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// words is text that compresses about as well as build output.
func words(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, "%x func %d return value%d\n", r.Uint32(), r.IntN(1000), r.IntN(100))
	}
	return b.Bytes()[:n]
}

// benchZip creates an archive of files of the same size, forty in each directory.
func benchZip(b *testing.B, files, size int, method uint16) []byte {
	b.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	w.RegisterCompressor(methodZstd, zstd.ZipCompressor(zstd.WithEncoderLevel(zstd.SpeedFastest)))
	text := words(size + 4096)
	for i := range files {
		e, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("d%d/f%d", i/40, i), Method: method})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := e.Write(text[i%4096:][:size]); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkExtract compares staging and committing with the standard library extracting
// one entry after another.
func BenchmarkExtract(b *testing.B) {
	for _, bb := range []struct {
		name        string
		files, size int
		method      uint16
	}{
		{"20000small", 20_000, 4 << 10, zip.Deflate},
		{"big", 1, 128 << 20, zip.Deflate},
		{"stored", 50, 4 << 20, zip.Store},
		{"5000zstd", 5000, 8 << 10, methodZstd},
	} {
		archive := benchZip(b, bb.files, bb.size, bb.method)
		for by, run := range map[string]func(*testing.B, []byte, string){"extract": extractAll, "archive_zip": unzipAll} {
			if by == "archive_zip" && bb.method == methodZstd {
				continue
			}
			b.Run(bb.name+"/"+by, func(b *testing.B) {
				b.SetBytes(int64(bb.files) * int64(bb.size))
				b.ReportAllocs()
				for b.Loop() {
					out := b.TempDir()
					run(b, archive, out)
					b.StopTimer()
					if err := os.RemoveAll(out); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
			})
		}
	}
}

func extractAll(b *testing.B, archive []byte, out string) {
	b.Helper()
	s, err := NewStage(out, StageOptions{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.Add(b.Context(), FromReaderAt(bytes.NewReader(archive), int64(len(archive))), Options{}); err != nil {
		b.Fatal(err)
	}
	if err := s.Commit(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// unzipAll extracts as a program does that takes no special care of speed and safety.
func unzipAll(b *testing.B, archive []byte, out string) {
	b.Helper()
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range r.File {
		path := filepath.Join(out, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := unzipOne(f, path); err != nil {
			b.Fatal(err)
		}
	}
}

func unzipOne(f *zip.File, path string) error {
	in, err := f.Open()
	if err != nil {
		return err
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}

// BenchmarkDirectory parses and checks the central directory of 20,000 entries.
func BenchmarkDirectory(b *testing.B) {
	archive := benchZip(b, 20_000, 1, zip.Store)
	o := Options{}.withDefaults()
	b.ReportAllocs()
	for b.Loop() {
		entries, err := zipEntries(FromReaderAt(bytes.NewReader(archive), int64(len(archive))), o.budget)
		if err != nil {
			b.Fatal(err)
		}
		if err := check(entries, names.Rules{}, o); err != nil {
			b.Fatal(err)
		}
	}
}
