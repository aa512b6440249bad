package extract_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"gitlab.com/artifetch/artifetch/extract"
)

// lossySource is an archive that returns an error after that many bytes.
type lossySource struct {
	archive []byte
	lose    func() error

	mu   sync.Mutex
	left int
}

func (s *lossySource) Size() int64 { return int64(len(s.archive)) }

// take returns how many of n bytes arrive.
func (s *lossySource) take(n int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n <= s.left {
		s.left -= n
		return n, nil
	}
	n, s.left = s.left, 0
	return n, s.lose()
}

// ReadAt implements [io.ReaderAt].
func (s *lossySource) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.take(int(min(int64(len(p)), s.Size()-off)))
	if copy(p, s.archive[off:][:n]); err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// Range implements [extract.Source].
func (s *lossySource) Range(_ context.Context, off, n int64) (io.ReadCloser, error) {
	return io.NopCloser(&lossyReader{s, s.archive[off:][:n]}), nil
}

// Ahead implements [extract.Source].
func (*lossySource) Ahead() int64 { return 0 }

// Onward implements [extract.Source].
func (*lossySource) Onward() int64 { return 0 }

type lossyReader struct {
	*lossySource
	rest []byte
}

// Read implements [io.Reader].
func (r *lossyReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n, err := r.take(min(len(p), len(r.rest), 16<<10))
	copy(p, r.rest[:n])
	r.rest = r.rest[n:]
	return n, err
}

// lossyArchives are archives of every kind.
func lossyArchives(t *testing.T) map[string][]byte {
	t.Helper()
	random := make([]byte, 300<<10)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(random) // never fails
	text := string(random)
	plain := tarOf(t, tarItem{name: "a", content: text}, tarItem{name: "d/", kind: tar.TypeDir, mode: 0o755}, tarItem{name: "d/b", content: "b"})
	z := func(method uint16) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		w.RegisterCompressor(95, func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) })
		w.RegisterCompressor(93, zstd.ZipCompressor())
		for name, content := range map[string]string{"a": text, "b": "b", "c": text[:100_000] + text[:100_000]} {
			e, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
			if err == nil {
				_, err = io.WriteString(e, content)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	seven, err := os.ReadFile("testdata/plain.7z")
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"zip, stored": z(zip.Store), "zip, deflated": z(zip.Deflate), "zip, xz": z(95), "zip, zstd": z(93),
		"tar": plain, "7z": seven,
		"gz":  compress(t, plain, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }),
		"zst": compress(t, plain, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }),
		"xz":  compress(t, plain, func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }),
		// Larger than a region, so that several requests read it.
		"zip, large": pack(t, file("a", string(bytes.Repeat(random, 70)))),
	}
}

// Missing bytes aren't damage, wherever in the archive they are missing, whatever reads
// it, and whatever the error looks like: the end of a connection, or of an interrupted
// run.
func TestLossIsNoDamage(t *testing.T) {
	t.Parallel()
	uses := map[string]func(ctx context.Context, src extract.Source, dir string) error{
		"extract": func(ctx context.Context, src extract.Source, dir string) error {
			stage, err := extract.NewStage(dir, extract.StageOptions{})
			if err != nil {
				return err
			}
			_, err = stage.Add(ctx, src, extract.Options{Pace: extract.Pace{Workers: 2}})
			return errors.Join(err, stage.Discard())
		},
		"cat": func(ctx context.Context, src extract.Source, _ string) error {
			return extract.Cat(ctx, src, "a", io.Discard)
		},
		"list": func(ctx context.Context, src extract.Source, _ string) error {
			_, err := extract.List(ctx, src, extract.Selection{})
			return err
		},
		"statement": func(ctx context.Context, src extract.Source, _ string) error {
			_, err := extract.ReadStatement(ctx, src)
			return err
		},
	}
	for name, archive := range lossyArchives(t) {
		for use, do := range uses {
			t.Run(name+", "+use, func(t *testing.T) {
				t.Parallel()
				for _, how := range []string{"end", "cut", "stop"} {
					lost := 0
					for left := 0; left < 2*len(archive); left += len(archive)/9 + 1 {
						ctx, cancel := context.WithCancelCause(t.Context())
						why := fmt.Errorf("lost: %w", map[string]error{"end": io.EOF, "cut": io.ErrUnexpectedEOF, "stop": errors.New("stopped")}[how])
						src := &lossySource{archive: archive, left: left, lose: func() error {
							if lost++; how == "stop" {
								cancel(why)
							}
							return why
						}}
						before := lost
						err := do(ctx, src, filepath.Join(t.TempDir(), "out"))
						if lost > before && (!errors.Is(err, why) || asType(err, new(*extract.CorruptError))) {
							t.Errorf("%s after %d bytes: %v", how, left, err)
						}
						cancel(nil)
					}
					if lost == 0 {
						t.Error("nothing was lost")
					}
				}
			})
		}
	}
}

// The same for a file that isn't in an archive.
func TestLossOfAFile(t *testing.T) {
	t.Parallel()
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF} {
		why := fmt.Errorf("lost: %w", end)
		src := &lossySource{archive: make([]byte, 1000), left: 500, lose: func() error { return why }}
		stage, err := extract.NewStage(t.TempDir(), extract.StageOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = stage.AddFiles(t.Context(), []extract.File{{Name: "f", Mode: fs.FileMode(0o644), Size: 1000, Open: func(ctx context.Context) (io.ReadCloser, error) {
			return src.Range(ctx, 0, 1000)
		}}}, extract.Options{})
		if !errors.Is(err, why) || asType(err, new(*extract.CorruptError)) {
			t.Errorf("error = %v", err)
		}
		if err := stage.Discard(); err != nil {
			t.Error(err)
		}
	}
}

// If a run is interrupted while several requests read an entry, that isn't the entry's
// end.
func TestStopOfALargeEntry(t *testing.T) {
	t.Parallel()
	archive := pack(t, file("a", string(make([]byte, 40<<20))))
	for after := 0; after < 30; after++ { // some of its 4 MiB pieces are in flight
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("why")
		writes := 0
		err := extract.Cat(ctx, extract.FromReaderAt(bytes.NewReader(archive), int64(len(archive))), "a", writer(func(p []byte) (int, error) {
			if writes++; writes == after+1 {
				cancel(why)
			}
			return len(p), nil
		}))
		if !errors.Is(err, why) && err != nil {
			t.Errorf("after %d writes: %v", after, err)
		}
		cancel(nil)
	}
}

type writer func(p []byte) (int, error)

// Write implements [io.Writer].
func (w writer) Write(p []byte) (int, error) { return w(p) }
