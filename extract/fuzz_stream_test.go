package extract

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/mholt/archiver/v4"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// compressors create the streams that artifetch recognizes.
func compressors() map[string]func(io.Writer) (io.WriteCloser, error) {
	return map[string]func(io.Writer) (io.WriteCloser, error){
		"gzip":  func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
		"xz":    func(w io.Writer) (io.WriteCloser, error) { return xz.WriterConfig{DictCap: 1 << 16}.NewWriter(w) },
		"zstd":  func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
		"bzip2": archiver.Bz2{}.OpenWriter,
		"lz4":   archiver.Lz4{}.OpenWriter,
		"lzip":  archiver.Lzip{}.OpenWriter,
		"lzma":  func(w io.Writer) (io.WriteCloser, error) { return lzma.NewWriter(w) },
	}
}

func compressed(t testing.TB, by func(io.Writer) (io.WriteCloser, error), content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := by(&b)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tarSeeds are tars with every kind of member.
func tarSeeds(t testing.TB) map[string][]byte {
	t.Helper()
	members := []tar.Header{
		{Name: "d/", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "d/f", Typeflag: tar.TypeReg, Mode: 0o600, Size: 600},
		{Name: "hard", Typeflag: tar.TypeLink, Linkname: "d/f"},
		{Name: "soft", Typeflag: tar.TypeSymlink, Linkname: "d/f"},
		{Name: strings.Repeat("long/", 40) + "f", Typeflag: tar.TypeReg, Size: 1},
		{Name: "empty", Typeflag: tar.TypeReg},
	}
	all := map[string][]byte{}
	for name, format := range map[string]tar.Format{"pax": tar.FormatPAX, "gnu": tar.FormatGNU} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range members {
			h.Format = format
			if err := w.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(make([]byte, h.Size)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		all[name] = b.Bytes()
	}
	files, err := filepath.Glob("testdata/*.tar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if all[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// tarOfFiles is a tar of files, each a name and its content.
func tarOfFiles(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		err := w.WriteHeader(&tar.Header{Name: files[i], Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(files[i+1]))})
		if err == nil {
			_, err = io.WriteString(w, files[i+1])
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

// streamSeeds are tars and single files in every compression, and 7z archives.
func streamSeeds(f *testing.F) {
	f.Helper()
	plain := tarSeeds(f)["gnu"]
	for _, by := range compressors() {
		f.Add(compressed(f, by, plain))
		f.Add(compressed(f, by, []byte("a single file")))
	}
	f.Add(plain)
	f.Add(append([]byte("\x50\x2a\x4d\x18\x02\x00\x00\x00xx"), compressed(f, compressors()["zstd"], plain)...))
	for _, name := range []string{"small.7z", "plain.7z", "encrypted.7z"} {
		archive, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive)
	}
}

// expected is the content to expect from a tar.
type expected struct {
	tree  map[string]string // see sandbox.tree
	kinds map[string]byte   // of paths: 'd', 'f', 'l'
	bytes int64
}

// expect reads a tar with archive/tar and returns what must be extracted, or why nothing
// may be. It implements the rules independently of the tested code, in plain maps; only
// the rules for names are those of rules.cleanName, which FuzzCleanName tests.
func expect(archive []byte, o Options) (map[string]string, string) {
	r := tar.NewReader(bytes.NewReader(archive))
	x := expected{tree: map[string]string{}, kinds: map[string]byte{}}
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return x.tree, end(archive)
		}
		if err != nil {
			return nil, "archive/tar: " + err.Error()
		}
		if why := x.member(h, r, o); why != "" {
			return nil, h.Name + ": " + why
		}
	}
}

// end says whether a tar lacks an end: then archive/tar continues to read what follows.
func end(archive []byte) string {
	r := tar.NewReader(bytes.NewReader(append(bytes.Clone(archive), bytes.Repeat([]byte{0xff}, 2048)...)))
	for {
		if _, err := r.Next(); errors.Is(err, io.EOF) {
			return ""
		} else if err != nil {
			return "it has no end"
		}
	}
}

func (x *expected) member(h *tar.Header, content io.Reader, o Options) string {
	kind, known := map[byte]byte{
		tar.TypeReg: 'f', tar.TypeCont: 'f', tar.TypeGNUSparse: 'f', tar.TypeDir: 'd', 'D': 'd',
		tar.TypeSymlink: 'l', tar.TypeLink: 'h', tar.TypeXGlobalHeader: '-', 'V': '-',
	}[h.Typeflag]
	if !known {
		return "its type"
	}
	if kind == '-' {
		return ""
	}
	path, err := names.Rules{}.Clean(h.Name, false)
	if err != nil || path == "" && kind != 'd' {
		return "its name"
	}
	if path == "" {
		return ""
	}
	if was := x.kinds[path]; was != 0 && (was != 'd' || kind != 'd') {
		return "it is there twice"
	}
	x.kinds[path] = kind
	for i, c := range path {
		if c == '/' {
			if was := x.kinds[path[:i]]; was != 0 && was != 'd' {
				return "it is below a file"
			}
			x.kinds[path[:i]] = 'd'
			x.tree[path[:i+1]] = ""
		}
	}
	if len(x.kinds) > o.MaxFiles {
		return "too many"
	}
	return x.content(h, kind, path, content, o)
}

func (x *expected) content(h *tar.Header, kind byte, path string, content io.Reader, o Options) string {
	switch kind {
	case 'd':
		x.tree[path+"/"] = ""
	case 'l':
		if names.CheckTarget(h.Name, h.Linkname) != nil || (names.Rules{}).Escape(path, h.Linkname) != "" {
			return "where it leads"
		}
		x.tree[path] = "-> " + h.Linkname
	case 'h':
		target, err := names.Rules{}.Clean(h.Linkname, false)
		if err != nil || x.kinds[target] != 'f' {
			return "where it leads"
		}
		x.kinds[path], x.tree[path] = 'f', x.tree[target]
	default:
		if x.bytes += h.Size; h.Size < 0 || x.bytes > o.MaxBytes || x.bytes < 0 {
			return "too large"
		}
		b, err := io.ReadAll(content)
		if err != nil || int64(len(b)) != h.Size {
			return "it is cut off"
		}
		x.tree[path] = string(b)
	}
	return ""
}

// resum corrects the checksums in the headers of a tar, so that mutated headers are
// parsed: POSIX.1-2017, pax, "ustar Interchange Format".
func resum(archive []byte) []byte {
	const block, sumAt, sumLen, sizeAt, sizeLen = 512, 148, 8, 124, 12
	archive = bytes.Clone(archive)
	for at := 0; at+block <= len(archive); {
		h := archive[at : at+block]
		if bytes.Equal(h, make([]byte, block)) {
			break
		}
		copy(h[sumAt:], strings.Repeat(" ", sumLen))
		sum := 0
		for _, c := range h {
			sum += int(c)
		}
		copy(h[sumAt:], fmt.Sprintf("%06o\x00 ", sum))
		size, err := strconv.ParseUint(strings.Trim(string(h[sizeAt:sizeAt+sizeLen]), " \x00"), 8, 32)
		if err != nil {
			size = 0
		}
		at += block + (int(size)+block-1)/block*block
	}
	return archive
}

// FuzzTar compares our tar reader with archive/tar: extracted files have the same names,
// sizes and content, and refusals are intentional.
func FuzzTar(f *testing.F) {
	for _, archive := range tarSeeds(f) {
		f.Add(archive, true)
		f.Add(archive[:len(archive)-1024], false)
	}
	f.Fuzz(func(t *testing.T, archive []byte, sum bool) {
		if len(archive) > 64<<10 {
			return
		}
		if sum {
			archive = resum(archive)
		}
		o := fuzzOptions()
		b := newSandbox(t)
		err := b.extract(t, func(s *Stage) error {
			_, err := s.adding(t.Context(), o, func(o Options) (Stats, error) {
				o.budget.archive = int64(len(archive))
				return s.addFormat(t.Context(), FromReaderAt(bytes.NewReader(archive), int64(len(archive))), &format{name: "tar"}, o)
			})
			return err
		})
		want, why := expect(archive, o)
		if _, file := want[mine]; file || want[mine+"/"] == "" && is[*ConflictError](err) {
			return // what is there already is in the way
		}
		switch {
		case (err != nil) != (why != ""):
			t.Errorf("error %v, expected %q", err, why)
		case err == nil && !maps.Equal(b.tree(t), want):
			t.Errorf("got %q\nwant %q", b.tree(t), want)
		}
	})
}
