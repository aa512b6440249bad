package extract

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// namesOnly are archives of two empty files, or of links, in every format: 300 bytes of
// names and targets.
func namesOnly(t *testing.T) map[string][]byte {
	t.Helper()
	names := []string{strings.Repeat("a", 150), strings.Repeat("b", 150)}
	var zipped, links, plain bytes.Buffer
	z, w, l := zip.NewWriter(&zipped), tar.NewWriter(&plain), tar.NewWriter(&links)
	for _, name := range names {
		if _, err := z.CreateHeader(&zip.FileHeader{Name: name}); err != nil {
			t.Fatal(err)
		}
		if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if err := l.WriteHeader(&tar.Header{Name: name[:1], Linkname: name[1:], Typeflag: tar.TypeSymlink}); err != nil {
			t.Fatal(err)
		}
	}
	if z.Close() != nil || w.Close() != nil || l.Close() != nil {
		t.Fatal("not closed")
	}
	var unicode bytes.Buffer
	z = zip.NewWriter(&unicode)
	for _, name := range names {
		field := append([]byte{0x75, 0x70, byte(5 + 75), 0, 1}, le.AppendUint32(nil, crc32.ChecksumIEEE([]byte(name[:75])))...)
		if _, err := z.CreateHeader(&zip.FileHeader{Name: name[:75], Extra: append(field, strings.ToUpper(name[75:])...)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"a.zip": zipped.Bytes(), "a.tar": plain.Bytes(), "a.tar.gz": compressed(t, compressors()["gzip"], plain.Bytes()),
		"links.tar": links.Bytes(), "unicode.zip": unicode.Bytes(), "a.7z": sevenZipOf(nil, emptyFiles7z(names...)),
	}
}

// emptyFiles7z is the header of a 7z archive of empty files.
func emptyFiles7z(names ...string) []byte {
	var text []byte
	for _, name := range names {
		for _, unit := range append(utf16.Encode([]rune(name)), 0) {
			text = le.AppendUint16(text, unit)
		}
	}
	bits := bytes.Repeat([]byte{0xff}, (len(names)+7)/8)
	b := append7z([]byte{id7zHeader, id7zFiles}, uint64(len(names)))
	b = append(append7z(append(b, id7zEmptyStream), uint64(len(bits))), bits...)
	b = append(append7z(append(b, id7zEmptyFile), uint64(len(bits))), bits...)
	b = append(append7z(append(b, id7zNames), uint64(1+len(text))), 0)
	return append(append(b, text...), id7zEnd, id7zEnd)
}

// All names share one budget, whatever the format, and however deeply the archive is
// nested.
func TestNamesAreBounded(t *testing.T) {
	t.Parallel()
	add := func(name string, archive []byte, b *budget) error {
		stage, err := NewStage(t.TempDir(), StageOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = stage.Discard() }()
		_, err = stage.Add(t.Context(), FromReaderAt(bytes.NewReader(archive), int64(len(archive))), Options{Unpack: 9, BareName: name, budget: b})
		if err == nil {
			err = stage.Commit(t.Context())
		}
		return err
	}
	const names = 300
	for name, archive := range namesOnly(t) {
		if err := add(name, archive, &budget{limits: Limits{}.withDefaults(), names: maxNames - names}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := add(name, archive, &budget{limits: Limits{}.withDefaults(), names: maxNames - names + 1}); !is[*LimitError](err) {
			t.Errorf("%s: %v, want a LimitError", name, err)
		}
		// The same as the only file of another archive, whose name counts, too.
		outer := zippedAs(t, name, archive)
		if err := add("", outer, &budget{limits: Limits{}.withDefaults(), names: maxNames - names - int64(len(name))}); err != nil {
			t.Errorf("%s, in a zip: %v", name, err)
		}
		if err := add("", outer, &budget{limits: Limits{}.withDefaults(), names: maxNames - names}); !is[*LimitError](err) {
			t.Errorf("%s, in a zip: %v, want a LimitError", name, err)
		}
	}
	archive := namesOnly(t)["a.zip"]
	_, err := list(t.Context(), FromReaderAt(bytes.NewReader(archive), int64(len(archive))), Selection{}, &budget{limits: Limits{}.withDefaults(), names: maxNames - names + 1})
	if !is[*LimitError](err) {
		t.Errorf("list: %v", err)
	}
}

func zippedAs(t *testing.T, name string, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// endlessTar has an endless number of empty members with long names.
type endlessTar struct {
	member []byte // of which a name has nine digits
	digits int    // where these are
	i      int
	left   []byte
}

func newEndlessTar(t *testing.T) *endlessTar {
	t.Helper()
	const digits = "000000000"
	var b bytes.Buffer
	name := strings.Repeat(strings.Repeat("d", 199)+"/", 19) + digits
	if err := tar.NewWriter(&b).WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Format: tar.FormatGNU}); err != nil {
		t.Fatal(err)
	}
	return &endlessTar{member: b.Bytes(), digits: bytes.LastIndex(b.Bytes(), []byte("/"+digits)) + 1}
}

// Read implements [io.Reader].
func (e *endlessTar) Read(p []byte) (int, error) {
	if len(e.left) == 0 {
		copy(e.member[e.digits:], fmt.Sprintf("%09d", e.i))
		e.i++
		e.left = e.member
	}
	n := copy(p, e.left)
	e.left = e.left[n:]
	return n, nil
}

// A tar without end stops at the budget for names, and hasn't kept more memory than that
// many names need. This is about what is kept, so the test first frees everything that was
// allocated on the way.
func TestEndlessNames(t *testing.T) {
	stage, err := NewStage(t.TempDir(), StageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stage.Discard() }()
	o := Options{}.withDefaults()
	x, err := newUntar(stage, o)
	if err != nil {
		t.Fatal(err)
	}
	before := heap()
	err = x.tar(t.Context(), newEndlessTar(t))
	if stays := heap() - before; !is[*LimitError](err) || stays > 4<<20 {
		t.Errorf("%v; %d bytes stay", err, stays)
	}
	runtime.KeepAlive(x)
}

// heap returns how many bytes are in use after a garbage collection.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Besides its name, an entry takes as many bytes as SECURITY.md says: the test reads,
// checks, selects and plans a hundred thousand, and writes none.
func TestBytesOfAnEntry(t *testing.T) {
	const entries, most, name = 100_000, 250, 16
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := range entries {
		if _, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("d%d/%0*d", i%50, name-4, i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	stage, err := NewStage(t.TempDir(), StageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	before, took := heap(), int64(0)
	o := Options{Events: Events{OnPlan: func(int64) { took = heap() - before; cancel() }}}
	if _, err := stage.Add(ctx, FromReaderAt(bytes.NewReader(b.Bytes()), int64(b.Len())), o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if each := took / entries; each < 100 || each > most+name {
		t.Errorf("an entry takes %d bytes, and may take %d", each, most+name)
	}
	runtime.KeepAlive(&b)
	if err := stage.Discard(); err != nil {
		t.Fatal(err)
	}
}

// Only what the commit needs stays in memory until then: not the headers that contain
// names, nor the entries around links.
func TestWhatStays(t *testing.T) {
	dirs := func() []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for i := range 40 { // 40 MiB of headers
			h := &tar.Header{Name: fmt.Sprintf("%s%d/", strings.Repeat("d", 120), i), Typeflag: tar.TypeDir, PAXRecords: map[string]string{"comment": strings.Repeat("c", 1<<20-400)}}
			if i%2 == 1 {
				h.Name, h.Linkname, h.Typeflag = strings.TrimSuffix(h.Name, "/"), strings.Repeat("t", 150), tar.TypeSymlink
			}
			if err := w.WriteHeader(h); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	links := func() []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		h := &zip.FileHeader{Name: "link"}
		h.SetMode(fs.ModeSymlink | 0o777)
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = f.Write([]byte("0"))
		}
		for i := range 50_000 {
			if err == nil {
				_, err = w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("%s%d", strings.Repeat("n", 100), i)})
			}
		}
		if err != nil || w.Close() != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, make := range map[string]func() []byte{"directories and links of a tar": dirs, "a link of a zip": links} {
		archive := make()
		stage, err := NewStage(t.TempDir(), StageOptions{})
		if err != nil {
			t.Fatal(err)
		}
		before := heap()
		o := Options{Selection: Selection{Include: []string{"link", "d*"}}}
		if strings.HasSuffix(name, "tar") {
			o.Include = nil
		} else {
			o.Include = o.Include[:1]
		}
		if _, err := stage.Add(t.Context(), FromReaderAt(bytes.NewReader(archive), int64(len(archive))), o); err != nil {
			t.Fatal(err)
		}
		if stays := heap() - before; stays > 2<<20 {
			t.Errorf("%s: %d bytes stay", name, stays)
		}
		runtime.KeepAlive(archive)
		if err := stage.Discard(); err != nil {
			t.Fatal(err)
		}
	}
}

// What several archives keep until the commit has a limit, too.
func TestKeptNames(t *testing.T) {
	t.Parallel()
	var dirs bytes.Buffer
	w := tar.NewWriter(&dirs)
	if err := w.WriteHeader(&tar.Header{Name: "directory/", Typeflag: tar.TypeDir}); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	var links bytes.Buffer
	w = tar.NewWriter(&links)
	if err := w.WriteHeader(&tar.Header{Name: "link", Linkname: "there", Typeflag: tar.TypeSymlink}); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	for name, archive := range map[string][]byte{
		"a directory": dirs.Bytes(), "a link": links.Bytes(), "a double": tarOfFiles(t, "same", "content"), "an archive": tarOfFiles(t, "later.zip", "content"),
	} {
		for _, room := range []int64{1000, 1} {
			stage, err := NewStage(t.TempDir(), StageOptions{})
			if err != nil {
				t.Fatal(err)
			}
			src := FromReaderAt(bytes.NewReader(archive), int64(len(archive)))
			if name == "a double" {
				if _, err := stage.Add(t.Context(), src, Options{}); err != nil {
					t.Fatal(err)
				}
			}
			stage.kept = maxKept - room
			if _, err = stage.Add(t.Context(), src, Options{Unpack: 1}); (room == 1) != is[*LimitError](err) {
				t.Errorf("%s with room for %d bytes: %v", name, room, err)
			}
			if err := stage.Discard(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// windowStreams are streams that need a window of that many bytes.
func windowStreams(t *testing.T, size int) map[string][]byte {
	t.Helper()
	plain := tarSeeds(t)["gnu"]
	lz := compressed(t, compressors()["lzip"], plain)
	lz[5] = byte(len(fmt.Sprintf("%b", size)) - 1)
	alone := compressed(t, func(w io.Writer) (io.WriteCloser, error) { return lzma.NewWriter(w) }, plain)
	le.PutUint32(alone[1:], uint32(size))
	return map[string][]byte{
		"xz": compressed(t, func(w io.Writer) (io.WriteCloser, error) { return xz.WriterConfig{DictCap: size}.NewWriter(w) }, plain),
		"zstd": compressed(t, func(w io.Writer) (io.WriteCloser, error) {
			return zstd.NewWriter(w, zstd.WithWindowSize(size), zstd.WithSingleSegment(false))
		}, nil),
		"lzip": lz, "lzma": alone,
	}
}

// A window may be as large as that of xz -9. A larger one exceeds a limit, which the error
// names; it isn't called damage, and takes little memory.
func TestWindows(t *testing.T) {
	for size, allowed := range map[int]bool{maxWindow: true, 2 * maxWindow: false} {
		for name, stream := range windowStreams(t, size) {
			if name == "zstd" {
				stream = rawZstdFrame(tarSeeds(t)["gnu"], byte(len(fmt.Sprintf("%b", size))-1-10)<<3)
			}
			stage, err := NewStage(t.TempDir(), StageOptions{})
			if err != nil {
				t.Fatal(err)
			}
			took := allocated(func() {
				_, err = stage.Add(t.Context(), FromReaderAt(bytes.NewReader(stream), int64(len(stream))), Options{})
			})
			if allowed && err != nil || !allowed && !is[*LimitError](err) || took > 2*maxWindow {
				t.Errorf("%s with a window of %d: %v; %d bytes were allocated", name, size, err, took)
			}
			if !allowed && err != nil && (!strings.Contains(err.Error(), "67108864") || !strings.Contains(err.Error(), name)) {
				t.Errorf("%s: %v", name, err)
			}
			if err := stage.Discard(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// rawZstdFrame is a frame of uncompressed blocks: RFC 8878, 3.1.1.
func rawZstdFrame(content []byte, window byte) []byte {
	frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, window}
	const most = 100_000
	for {
		n := min(len(content), most)
		block := uint32(n) << 3
		if n == len(content) {
			block |= 1 // the last one
		}
		frame = append(append(frame, byte(block), byte(block>>8), byte(block>>16)), content[:n]...)
		if content = content[n:]; len(content) == 0 {
			return frame
		}
	}
}

// The same in a zip.
func TestWindowsInZips(t *testing.T) {
	for size, allowed := range map[int]bool{maxWindow: true, 2 * maxWindow: false} {
		content := bytes.Repeat([]byte("content "), 100_000)
		lz := compressed(t, func(w io.Writer) (io.WriteCloser, error) { return lzma.NewWriter(w) }, content)
		for method, packed := range map[uint16][]byte{
			methodXz:   compressed(t, func(w io.Writer) (io.WriteCloser, error) { return xz.WriterConfig{DictCap: size}.NewWriter(w) }, content),
			methodZstd: rawZstdFrame(content, byte(len(fmt.Sprintf("%b", size))-1-10)<<3),
			methodLZMA: append(binary.LittleEndian.AppendUint32([]byte{9, 4, 5, 0, lz[0]}, uint32(size)), lz[13:]...),
		} {
			archive := rawZip(t, method, packed, content)
			stage, err := NewStage(t.TempDir(), StageOptions{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = stage.Add(t.Context(), FromReaderAt(bytes.NewReader(archive), int64(len(archive))), Options{})
			if allowed && err != nil || !allowed && !is[*LimitError](err) {
				t.Errorf("method %d with a window of %d: %v", method, size, err)
			}
			if err := stage.Discard(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A stream that needs more memory later than it declares at its start doesn't get it: only
// the declared amount was reserved for it, and other streams have the rest.
func TestGrowingWindows(t *testing.T) {
	content := bytes.Repeat([]byte("content "), 100_000)
	dict := func(size int, content []byte) []byte {
		return compressed(t, func(w io.Writer) (io.WriteCloser, error) { return xz.WriterConfig{DictCap: size}.NewWriter(w) }, content)
	}
	half := len(content) / 2
	for method, packed := range map[uint16][]byte{
		methodXz:   append(dict(1<<16, content[:half]), dict(maxWindow, content[half:])...),
		methodZstd: append(rawZstdFrame(content[:half], 7<<3), rawZstdFrame(content[half:], 16<<3)...),
	} {
		archive := rawZip(t, method, packed, content)
		stage, err := NewStage(t.TempDir(), StageOptions{})
		if err != nil {
			t.Fatal(err)
		}
		took := allocated(func() {
			_, err = stage.Add(t.Context(), FromReaderAt(bytes.NewReader(archive), int64(len(archive))), Options{})
		})
		if !is[*LimitError](err) || took > maxWindow/2 {
			t.Errorf("method %d: %v; %d bytes were allocated", method, err, took)
		}
		if err := stage.Discard(); err != nil {
			t.Fatal(err)
		}
	}
}

// rawZip is a zip of one entry, already compressed. It is too large to be unpacked in
// memory.
func rawZip(t *testing.T, method uint16, packed, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	e, err := w.CreateRaw(&zip.FileHeader{
		Name: "entry", Method: method, CRC32: crc32.ChecksumIEEE(content),
		UncompressedSize64: uint64(len(content)), CompressedSize64: uint64(len(packed)),
	})
	if err == nil {
		_, err = e.Write(packed)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// rawZipOf is a zip of files, given as pairs of name and content, with one mode.
func rawZipOf(t *testing.T, mode uint32, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		e, err := w.CreateHeader(&zip.FileHeader{Name: files[i], ExternalAttrs: mode << 16, CreatorVersion: 3 << 8})
		if err == nil {
			_, err = io.WriteString(e, files[i+1])
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

// Unselected data counts, too: it must be decompressed to reach the files after it.
func TestUnwantedBomb(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "zeros", Typeflag: tar.TypeReg, Size: 8 << 20}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 8<<20)); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteHeader(&tar.Header{Name: "wanted", Typeflag: tar.TypeReg}); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	archive := compressed(t, compressors()["gzip"], b.Bytes())
	for _, tt := range []struct {
		ratio int64
		want  bool
	}{{2000, true}, {500, false}} {
		stage, err := NewStage(filepath.Join(t.TempDir(), "out"), StageOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = stage.Add(t.Context(), FromReaderAt(bytes.NewReader(archive), int64(len(archive))), Options{Selection: Selection{Include: []string{"wanted"}}, Limits: Limits{MaxRatio: tt.ratio}, budget: &budget{limits: Limits{MaxRatio: tt.ratio}.withDefaults(), free: 1 << 20}})
		if (err == nil) != tt.want || err != nil && !is[*LimitError](err) {
			t.Errorf("ratio %d: %v", tt.ratio, err)
		}
		if err := stage.Discard(); err != nil {
			t.Fatal(err)
		}
	}
}
