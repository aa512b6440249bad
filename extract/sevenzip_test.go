package extract

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"gitlab.com/artifetch/artifetch/extract/internal/sevenzip"
)

// made7z describes a 7z archive for a test: folders that are stored, unless coded says
// something else.
type made7z struct {
	coded   []byte // "copy" if nil
	files   []string
	packs   [][]byte // the files as they are if nil
	sizes   []uint64 // that of the files together if nil
	noSums  bool
	streams int // as many as files if zero
}

var copied7z = []byte{1, 1, 0} // one method, with an id of one byte, which is zero

// archive creates a 7z archive of folders, whose files are called 0, 1 and so on. change
// may change the header.
func archive7zOf(change func(header []byte) []byte, folders ...made7z) []byte {
	var packed, packSizes, coders, sizes, streams, subSizes, sums []byte
	var names []string
	packs := 0
	for _, f := range folders {
		content := strings.Join(f.files, "")
		if f.coded == nil {
			f.coded = copied7z
		}
		if f.packs == nil {
			f.packs = [][]byte{[]byte(content)}
		}
		if f.sizes == nil {
			f.sizes = []uint64{uint64(len(content))}
		}
		for _, p := range f.packs {
			packed, packSizes = append(packed, p...), append7z(packSizes, uint64(len(p)))
			packs++
		}
		coders, sizes = append(coders, f.coded...), append7z(sizes, f.sizes...)
		streams = append7z(streams, uint64(max(f.streams, len(f.files))))
		for i, file := range f.files {
			names = append(names, string(rune('0'+len(names))))
			if i < len(f.files)-1 {
				subSizes = append7z(subSizes, uint64(len(file)))
			}
			sums = le.AppendUint32(sums, crc32.ChecksumIEEE([]byte(file)))
		}
	}
	h := append7z([]byte{id7zHeader, id7zMainStreams, id7zPack}, 0, uint64(packs))
	h = append(append(append(h, id7zSize), packSizes...), id7zEnd, id7zUnpack, id7zFolder)
	h = append(append7z(h, uint64(len(folders))), 0)
	h = append(append(append(append(h, coders...), id7zUnpackSize), sizes...), id7zEnd, id7zSubStreams, id7zStreams)
	h = append(append(append(h, streams...), id7zSize), subSizes...)
	if !folders[0].noSums {
		h = append(append(h, id7zCRC, 1), sums...)
	}
	h = append(append(h, id7zEnd, id7zEnd), filesOf7z(names)...)
	if change != nil {
		h = change(h)
	}
	return sevenZipOf(packed, h)
}

func filesOf7z(names []string) []byte {
	var text []byte
	for _, name := range names {
		for _, unit := range append(utf16.Encode([]rune(name)), 0) {
			text = le.AppendUint16(text, unit)
		}
	}
	h := append7z([]byte{id7zFiles}, uint64(len(names)))
	h = append(append7z(append(h, id7zNames), uint64(1+len(text))), 0)
	return append(append(h, text...), id7zEnd, id7zEnd)
}

// A header that claims more than the archive contains is refused before anything is
// allocated for it, and never causes an endless loop.
func TestSevenZipHeaders(t *testing.T) {
	plain := made7z{files: []string{"one", "two"}}
	replace := func(old, new string) func([]byte) []byte {
		return func(h []byte) []byte { return bytes.Replace(h, []byte(old), []byte(new), 1) }
	}
	raw := func(header string) []byte { return sevenZipOf(nil, []byte(header)) }
	huge := string(append7z(nil, 1<<36))
	number := func(n uint64) string { return string(append7z(nil, n)) }
	names := string([]byte{id7zNames})
	for name, archive := range map[string][]byte{
		"2^36 files":                    raw("\x01\x05" + huge + "\x00\x00"),
		"2^36 files with times":         raw("\x01\x05" + huge + "\x14\x02\x01\x00\x00\x00"),
		"500,000 files without names":   raw("\x01\x05" + number(500_000) + "\x14\x02\x01\x00\x00\x00"),
		"2^36 packed streams":           raw("\x01\x04\x06\x00" + huge + "\x09"),
		"2^36 folders":                  raw("\x01\x04\x07\x0b" + huge + "\x00"),
		"2^36 methods":                  raw("\x01\x04\x07\x0b\x01\x00" + huge),
		"2^36 inputs":                   raw("\x01\x04\x06\x00\x01\x09\x00\x00\x07\x0b\x01\x00\x01\x11\x00" + huge + "\x01"),
		"2^36 bytes of properties":      raw("\x01\x04\x06\x00\x01\x09\x00\x00\x07\x0b\x01\x00\x01\x21\x00" + huge),
		"2^36 files in a folder":        archive7zOf(replace(string(append7z([]byte{id7zStreams}, 2)), string(append7z([]byte{id7zStreams}, 1<<36))), plain),
		"it unpacks to itself":          raw("\x17\x06\x00\x01\x09\x12\x00\x07\x0b\x01\x00\x01\x01\x00\x0c\x12\x00\x00"),
		"no method":                     archive7zOf(nil, made7z{coded: []byte{0}, files: []string{"one"}}),
		"two outputs":                   archive7zOf(nil, made7z{coded: []byte{1, 0x11, 0, 1, 2, 0, 0}, files: []string{"one"}, sizes: []uint64{3, 3}}),
		"no input":                      archive7zOf(nil, made7z{coded: []byte{1, 0x11, 0, 0, 1}, files: []string{"one"}}),
		"an input that is not there":    archive7zOf(nil, made7z{coded: []byte{2, 1, 0, 1, 0, 5, 0}, files: []string{"one"}, sizes: []uint64{3, 3}}),
		"an output that is not there":   archive7zOf(nil, made7z{coded: []byte{2, 1, 0, 1, 0, 1, 5}, files: []string{"one"}, sizes: []uint64{3, 3}}),
		"an input twice":                archive7zOf(nil, made7z{coded: []byte{3, 1, 0, 1, 0, 1, 0, 2, 0, 2, 1}, files: []string{"one"}, sizes: []uint64{3, 3, 3}}),
		"methods in a circle":           archive7zOf(nil, made7z{coded: []byte{3, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1}, files: []string{"one"}, sizes: []uint64{3, 3, 3}}),
		"alternative methods":           archive7zOf(nil, made7z{coded: []byte{1, 0x81, 0}, files: []string{"one"}}),
		"fewer packed streams":          archive7zOf(nil, made7z{coded: []byte{1, 0x11, 0, 2, 1, 0, 1}, files: []string{"one"}}),
		"more packed streams":           archive7zOf(nil, made7z{files: []string{"one"}, packs: [][]byte{[]byte("one"), []byte("two")}}),
		"streams behind the archive":    archive7zOf(replace(number(6)+"\x00\x07", number(999)+"\x00\x07"), plain),
		"sizes that overflow":           archive7zOf(replace(number(6)+"\x00\x07", number(1<<63)+"\x00\x07"), plain),
		"a file larger than its folder": archive7zOf(replace(string(append7z([]byte{id7zSize}, 3)), string(append7z([]byte{id7zSize}, 7))), plain),
		"more files than streams": archive7zOf(func(h []byte) []byte {
			return append(h[:bytes.IndexByte(h, id7zFiles)], filesOf7z([]string{"0", "1", "2"})...)
		}, plain),
		"fewer files than streams": archive7zOf(func(h []byte) []byte {
			return append(h[:bytes.LastIndexByte(h, id7zFiles)], filesOf7z([]string{"0"})...)
		}, plain),
		"no files at all":                archive7zOf(func(h []byte) []byte { return append(h[:bytes.LastIndexByte(h, id7zFiles)], id7zEnd) }, plain),
		"fewer names than files":         raw("\x01\x05\x02\x0e\x01\xc0\x11\x05\x00a\x00\x00\x00\x00\x00"),
		"more names than files":          raw("\x01\x05\x01\x0e\x01\x80\x11\x09\x00a\x00\x00\x00b\x00\x00\x00\x00\x00"),
		"a name without end":             raw("\x01\x05\x01\x0e\x01\x80\x11\x03\x00a\x00\x00\x00"),
		"names twice":                    raw("\x01\x05\x01\x0e\x01\x80\x11\x05\x00a\x00\x00\x00\x11\x05\x00b\x00\x00\x00\x00\x00"),
		"names elsewhere":                archive7zOf(replace(names+number(9)+"\x00", names+number(9)+"\x01"), plain),
		"a property that is too long":    raw("\x01\x05\x01\x0e\x02\x80\x80\x11\x05\x00a\x00\x00\x00\x00\x00"),
		"a property behind the end":      raw("\x01\x05\x01\x0e\x01\x80\x11" + huge),
		"something to be deleted":        raw("\x01\x05\x01\x0e\x01\x80\x10\x01\x80\x11\x05\x00a\x00\x00\x00\x00\x00"),
		"something behind the header":    archive7zOf(func(h []byte) []byte { return append(h, 0) }, plain),
		"something else than a header":   raw("\x02\x00"),
		"additional streams":             raw("\x01\x03\x00\x00"),
		"properties of LZMA of one byte": archive7zOf(nil, made7z{coded: []byte{1, 0x23, 3, 1, 1, 1, 93}, files: []string{"one"}}),
		"a directory with content":       archive7zOf(replace(names+number(5)+"\x000\x00\x00\x00\x00", names+number(5)+"\x000\x00\x00\x00\x15\x06\x01\x00\x10\x00\x00\x00\x00"), made7z{files: []string{"one"}}),
	} {
		var err error
		took := allocated(func() { _, err = add(t, archive, Options{}) })
		if !is[*CorruptError](err) || took > 4<<20 {
			t.Errorf("%s: %v; %d bytes were allocated", name, err, took)
		}
		if _, err := sevenzip.Open(t.Context(), bytes.NewReader(archive), int64(len(archive)), newBudget(Limits{}), firstOf7z); !is[*CorruptError](err) {
			t.Errorf("%s: it is left to the library: %v", name, err)
		}
	}
	bad := archive7zOf(nil, plain)
	bad[len(bad)-5] ^= 1 // a name
	if _, err := add(t, bad, Options{}); !is[*CorruptError](err) {
		t.Errorf("a header that was changed: %v", err)
	}
	for at := range lenStart7z {
		bad := archive7zOf(nil, plain)
		if bad[at]++; at == 6 || at == 7 {
			continue // the version
		}
		if _, err := add(t, bad, Options{}); err == nil {
			t.Errorf("byte %d of the start header was changed", at)
		}
	}
	if got, err := add(t, archive7zOf(nil, plain), Options{}); err != nil || !maps.Equal(got, map[string]string{"0": "one", "1": "two"}) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := add(t, sevenZipOf(nil, nil), Options{}); err != nil || len(got) > 0 {
		t.Errorf("an empty archive: %q, %v", got, err)
	}
}

// Exceeded limits are reported as limits.
func TestSevenZipLimits(t *testing.T) {
	t.Parallel()
	plain := made7z{files: []string{"one", "two"}}
	lzma := func(dictionary uint32) []byte {
		return append([]byte{0x23, 3, 1, 1, 5}, le.AppendUint32([]byte{93}, dictionary)...)
	}
	chain := slices.Concat([]byte{2}, lzma(48<<20), lzma(48<<20), []byte{1, 0})
	for name, tt := range map[string]struct {
		archive []byte
		opts    Options
		text    string
	}{
		"files":            {archive7zOf(nil, plain), Options{Limits: Limits{MaxFiles: 1}}, "more than 1 entries"},
		"folders":          {archive7zOf(nil, made7z{files: []string{"1"}}, made7z{files: []string{"2"}}), Options{Limits: Limits{MaxFiles: 1}}, "more than 1 entries"},
		"packed streams":   {sevenZipOf(nil, append(append7z([]byte{id7zHeader, id7zMainStreams, id7zPack}, 0, 9), bytes.Repeat([]byte{id7zSize}, 20)...)), Options{Limits: Limits{MaxFiles: 1}}, "more than 1 entries"},
		"empty files":      {sevenZipOf(nil, emptyFiles7z("a", "b")), Options{Limits: Limits{MaxFiles: 1}}, "more than 1 entries"},
		"bytes":            {archive7zOf(nil, plain), Options{Limits: Limits{MaxBytes: 5}}, "more than 5 bytes"},
		"a header":         {append(sevenZipOf(nil, make([]byte, sevenzip.MaxHeader+1)), 0), Options{}, "bytes of header"},
		"a packed header":  {sevenZipOf(nil, []byte("\x17\x06\x00\x01\x09\x00\x00\x07\x0b\x01\x00\x01\x01\x00\x0c\xf0\x01\x00\x00\x01\x00\x00")), Options{}, "bytes of header"},
		"LZMA":             {archive7zOf(nil, made7z{coded: append([]byte{1}, lzma(96<<20)...), files: []string{"x"}, sizes: []uint64{100 << 20}}), Options{}, "in the window of its 7z"},
		"LZMA2":            {archive7zOf(nil, made7z{coded: []byte{1, 0x21, 0x21, 1, 40}, files: []string{"x"}, sizes: []uint64{100 << 20}}), Options{}, "in the window of its 7z"},
		"LZMA behind LZMA": {archive7zOf(nil, made7z{coded: chain, files: []string{"x"}, sizes: []uint64{100 << 20, 100 << 20}}), Options{}, "in the window of its 7z"},
	} {
		if _, err := add(t, tt.archive, tt.opts); !is[*LimitError](err) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Unsupported methods are named.
func TestSevenZipMethods(t *testing.T) {
	t.Parallel()
	for text, coded := range map[string][]byte{
		"it is encrypted": {1, 4, 6, 0xf1, 7, 1}, "by PPMd": {1, 3, 3, 4, 1}, "by zstd": {1, 4, 4, 0xf7, 0x11, 1}, "7z method 77": {1, 1, 0x77},
	} {
		_, err := add(t, archive7zOf(nil, made7z{coded: coded, files: []string{"one"}}), Options{})
		if !is[*UnsafeError](err) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A dictionary is as large as the output needs, whatever a header asks for.
func TestSevenZipDictionaries(t *testing.T) {
	archive, err := os.ReadFile("testdata/plain.7z")
	if err != nil {
		t.Fatal(err)
	}
	packed, header := parts7z(t, archive)
	coder := bytes.LastIndex(header, []byte{0x21, 0x21, 0x01}) // one byte of id, which is LZMA2, one of properties
	if coder < 0 {
		t.Fatal("no coder")
	}
	want, err := add(t, archive, Options{})
	if err != nil || len(want) == 0 {
		t.Fatal(err)
	}
	for _, props := range []byte{28, 29, 40} { // 64 MiB, 96 MiB, 4 GiB
		header[coder+3] = props
		var got map[string]string
		took := allocated(func() { got, err = add(t, sevenZipOf(packed, header), Options{}) })
		if err != nil || !maps.Equal(got, want) || took > 4<<20 {
			t.Errorf("dictionary %d: %v; %d bytes were allocated", props, err, took)
		}
	}
}

// The same for LZMA.
func TestSevenZipLZMA(t *testing.T) {
	content := strings.Repeat("content ", 1000)
	packed := compressed(t, compressors()["lzma"], []byte(content))
	coded := append([]byte{1, 0x23, 3, 1, 1, 5}, packed[0], 0xff, 0xff, 0xff, 0xff)
	archive := archive7zOf(nil, made7z{coded: coded, files: []string{content}, packs: [][]byte{packed[13:]}})
	var got map[string]string
	var err error
	took := allocated(func() { got, err = add(t, archive, Options{}) })
	if err != nil || got["0"] != content || took > 4<<20 {
		t.Errorf("%v; %d bytes were allocated", err, took)
	}
}

// For a selection, only the folders that contain selected files are unpacked, each up to
// its last selected file. Checksums are checked, and links are created from content.
func TestSevenZipFolders(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("content ", 50_000)
	folders := []made7z{{files: []string{"a", large + "b"}}, {files: []string{large + "c", "d", large + "e"}}, {files: []string{"f"}}}
	for _, tt := range []struct {
		include []string
		planned int64
		want    map[string]string
	}{
		{nil, 1_200_006, map[string]string{"0": "a", "1": large + "b", "2": large + "c", "3": "d", "4": large + "e", "5": "f"}},
		{[]string{"5"}, 1, map[string]string{"5": "f"}},
		{[]string{"0", "3"}, 1_200_005, map[string]string{"0": "a", "3": "d"}},
	} {
		var planned, read int64
		src := &countingAt{Source: FromReaderAt(bytes.NewReader(archive7zOf(nil, folders...)), int64(len(archive7zOf(nil, folders...))))}
		b := newSandbox(t)
		err := b.extract(t, func(s *Stage) error {
			_, err := s.Add(t.Context(), src, Options{Selection: Selection{Include: tt.include}, Events: Events{OnPlan: func(n int64) { planned += n }, OnRead: func(n int) { read += int64(n) }}})
			return err
		})
		if err != nil || !maps.Equal(b.tree(t), tt.want) {
			t.Errorf("%q: %v, %q", tt.include, err, b.tree(t))
		}
		if planned != tt.planned || read != planned || src.n > planned+150_000 {
			t.Errorf("%q: %d bytes were planned, %d were told of, %d came", tt.include, planned, read, src.n)
		}
	}
	archive := archive7zOf(nil, folders...)
	for _, at := range []int{lenStart7z, lenStart7z + 400_002, lenStart7z + 1_200_005} {
		bad := slices.Clone(archive)
		bad[at] ^= 1
		if _, err := add(t, bad, Options{}); !is[*CorruptError](err) || !strings.Contains(err.Error(), "CRC-32") {
			t.Errorf("byte %d was changed: %v", at, err)
		}
	}
	if got, err := add(t, archive7zOf(nil, made7z{files: []string{"no sum", "another"}, noSums: true}), Options{}); err != nil || got["0"] != "no sum" {
		t.Errorf("without checksums: %q, %v", got, err)
	}
}

// countingAt counts bytes.
type countingAt struct {
	Source
	n int64
}

// ReadAt implements [io.ReaderAt].
func (c *countingAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.Source.ReadAt(p, off)
	c.n += int64(n)
	return n, err
}

// An interrupted run stops, both in the header and in the content.
func TestSevenZipIsInterrupted(t *testing.T) {
	t.Parallel()
	archive, err := os.ReadFile("testdata/small.7z")
	if err != nil {
		t.Fatal(err)
	}
	why := errors.New("enough")
	for reads := 1; ; reads++ {
		ctx, cancel := context.WithCancelCause(t.Context())
		src := &stopping{Source: FromReaderAt(bytes.NewReader(archive), int64(len(archive))), left: reads, stop: func() { cancel(why) }}
		stage, err := NewStage(t.TempDir(), StageOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = stage.Add(ctx, src, Options{})
		if discardErr := stage.Discard(); discardErr != nil {
			t.Fatal(discardErr)
		}
		cancel(nil)
		if src.left > 0 {
			if err != nil || reads < 6 {
				t.Errorf("%v after %d reads", err, reads)
			}
			break
		}
		const recognising = 4 // reads
		if !errors.Is(err, why) || src.left < -recognising {
			t.Errorf("stopped at read %d: %v, and %d reads more", reads, err, -src.left)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	src := &stopping{Source: FromReaderAt(bytes.NewReader(archive), int64(len(archive))), stop: func() {}}
	if _, err := (&arrivingAt{ReaderAt: src, ctx: ctx}).ReadAt(make([]byte, 1), 0); !errors.Is(err, why) || src.left != 0 {
		t.Errorf("a read after the end: %v", err)
	}
}

// stopping calls stop on its last read.
type stopping struct {
	Source
	left int
	stop func()
}

// ReadAt implements [io.ReaderAt].
func (s *stopping) ReadAt(p []byte, off int64) (int, error) {
	if s.left--; s.left == 0 {
		s.stop()
	}
	return s.Source.ReadAt(p, off)
}
