package extract

import (
	"bytes"
	"context"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/extract/internal/sevenzip"
)

// sevenZipOf creates a 7z archive from packed streams and a header, with the right
// checksums.
func sevenZipOf(packed, header []byte) []byte {
	b := append([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), make([]byte, lenStart7z-8)...)
	le.PutUint64(b[12:], uint64(len(packed)))
	le.PutUint64(b[20:], uint64(len(header)))
	le.PutUint32(b[28:], crc32.ChecksumIEEE(header))
	le.PutUint32(b[8:], crc32.ChecksumIEEE(b[12:]))
	return slices.Concat(b, packed, header)
}

// parts7z splits an archive into packed streams and header, and unpacks the header if it
// is packed.
func parts7z(t testing.TB, archive []byte) (packed, header []byte) {
	t.Helper()
	offset, length := le.Uint64(archive[12:]), le.Uint64(archive[20:])
	packed, header = archive[lenStart7z:lenStart7z+offset], archive[lenStart7z+offset:][:length]
	if header[0] == id7zEncoded {
		var unpacked bytes.Buffer // what Open reads out of its first folder
		spy := func(ctx context.Context, archive *io.SectionReader, read func(io.Reader) error) error {
			return firstOf7z(ctx, archive, func(r io.Reader) error { return read(io.TeeReader(r, &unpacked)) })
		}
		if _, err := sevenzip.Open(t.Context(), bytes.NewReader(archive), int64(len(archive)), newBudget(Limits{}), spy); err != nil {
			t.Fatal(err)
		}
		header = unpacked.Bytes()
	}
	return packed, header
}

// FuzzSevenZip checks that no 7z header, valid or not, causes a panic, allocates memory
// for what it only claims, or writes outside the directory; and that extracted files have
// the sizes in the header.
func FuzzSevenZip(f *testing.F) {
	files, err := filepath.Glob("testdata/*.7z")
	if err != nil || len(files) < 3 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		archive, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if !strings.Contains(name, "encrypted") {
			packed, header := parts7z(f, archive)
			f.Add(packed, header)
		}
		f.Add(archive[lenStart7z:lenStart7z+le.Uint64(archive[12:])], archive[lenStart7z+le.Uint64(archive[12:]):])
	}
	f.Add([]byte{}, []byte("\x17\x06\x00\x01\x09\x12\x00\x07\x0b\x01\x00\x01\x01\x00\x0c\x12\x00\x00")) // unpacks to itself
	f.Fuzz(func(t *testing.T, packed, header []byte) {
		archive := sevenZipOf(packed, header)
		b := newSandbox(t)
		var stats Stats
		var err error
		took := allocated(func() {
			err = b.extract(t, func(s *Stage) (err error) {
				stats, err = s.Add(t.Context(), FromReaderAt(bytes.NewReader(archive), int64(len(archive))), fuzzOptions())
				return err
			})
		})
		// Windows are no larger than the output: 1 MiB of files, and the header.
		if limit := uint64(4*sevenzip.MaxHeader + 100*len(archive)); took > limit {
			t.Errorf("%d bytes were allocated for an archive of %d", took, len(archive))
		}
		if err != nil {
			return
		}
		var bytes int64
		for name, content := range b.tree(t) {
			if !strings.HasPrefix(content, "-> ") && !strings.HasSuffix(name, "/") {
				bytes += int64(len(content))
			}
		}
		if bytes != stats.Bytes {
			t.Errorf("%d bytes came out, not %d", bytes, stats.Bytes)
		}
	})
}
