package inflate

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	kflate "github.com/klauspost/compress/flate"
)

// text is n bytes that look like what jobs leave behind: words, numbers, runs,
// and a part that does not compress.
func text(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"error: ", "func ", "\treturn ", "0x", "object.o\n", "////////////////////", "  \"name\": ", "build/", "é", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"}
	var b []byte
	for len(b) < n {
		switch r.IntN(6) {
		case 0:
			b = append(b, byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()))
		case 1:
			if len(b) > 40000 { // from far away
				at := len(b) - 32768 + r.IntN(500)
				b = append(b, b[at:at+r.IntN(400)]...)
			}
		default:
			b = append(b, words[r.IntN(len(words))]...)
		}
	}
	return b[:n]
}

func deflate(tb testing.TB, data []byte, level int) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, level)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// whole decodes src in one go, into limit bytes at most.
func whole(src []byte, limit int) ([]byte, bool) {
	var d Decoder
	dst := make([]byte, limit)
	pos, _, err := d.Decode(dst, 0, src)
	return dst[:pos], err == nil && (d.Done() || pos == limit)
}

// pieces decodes src in pieces of input and output of any size, through a
// window that slides.
func pieces(src []byte, limit int, r *rand.Rand) ([]byte, bool) {
	var d Decoder
	var out []byte
	buf := make([]byte, WindowSize+1+r.IntN(700))
	pos := 0
	for idle := 0; !d.Done() && len(out) < limit; {
		n := min(len(src), r.IntN(40))
		if r.IntN(4) == 0 {
			n = len(src)
		}
		room := min(len(buf), pos+r.IntN(600))
		next, taken, err := d.Decode(buf[:room], pos, src[:n])
		if err != nil {
			return out, false
		}
		out = append(out, buf[pos:next]...)
		if idle++; taken > 0 || next > pos {
			idle = 0
		}
		if idle > 100 { // the input is at its end
			return out, false
		}
		src, pos = src[taken:], next
		if pos > WindowSize {
			copy(buf, buf[pos-WindowSize:pos])
			pos = WindowSize
		}
	}
	return out, true
}

func TestLevels(t *testing.T) {
	t.Parallel()
	for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
		for _, size := range []int{0, 1, 7, 8, 273, 274, 275, 32767, 32768, 32769, 300_000} {
			data := text(size)
			packed := deflate(t, data, level)
			if got, ok := whole(packed, size+1); !ok || !bytes.Equal(got, data) {
				t.Errorf("level %d, %d bytes: whole differs", level, size)
			}
			if got, ok := pieces(packed, size+1, rand.New(rand.NewPCG(uint64(size), 1))); !ok || !bytes.Equal(got, data) {
				t.Errorf("level %d, %d bytes: pieces differ", level, size)
			}
		}
	}
}

// Every stream of the zip archives at hand: those of real runners, and those of
// the standard library's tests.
func TestCorpora(t *testing.T) {
	t.Parallel()
	streams := 0
	for _, pattern := range []string{"../../testdata/samples/*.zip", filepath.Join(goroot(t), "src/archive/zip/testdata/*.zip")} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			archive, err := zip.OpenReader(name)
			if err != nil {
				continue // some are damaged on purpose
			}
			for _, f := range archive.File {
				streams += checkEntry(t, name, f)
			}
			if err := archive.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if streams < 100 {
		t.Errorf("only %d streams were found", streams)
	}
}

func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func checkEntry(t *testing.T, archive string, f *zip.File) int {
	t.Helper()
	if f.Method != zip.Deflate || f.UncompressedSize64 > 1<<24 {
		return 0
	}
	raw, err := f.OpenRaw()
	if err != nil {
		return 0
	}
	packed, err := io.ReadAll(raw)
	if err != nil {
		return 0
	}
	want, oracleErr := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	got, ok := whole(packed, len(want)+1)
	if ok != (oracleErr == nil) || ok && !bytes.Equal(got, want) {
		t.Errorf("%s: %s: accepted %v, want %v", archive, f.Name, ok, oracleErr == nil)
	}
	return 1
}

// A stream that is cut off anywhere is neither done nor corrupt.
func TestTruncated(t *testing.T) {
	t.Parallel()
	for _, level := range []int{0, 1, 6, flate.HuffmanOnly} {
		data := text(2000)
		packed := deflate(t, data, level)
		dst := make([]byte, len(data)+1)
		for n := range packed {
			var d Decoder
			pos, taken, err := d.Decode(dst, 0, packed[:n])
			if err != nil || d.Done() || taken != n {
				t.Fatalf("level %d, %d of %d bytes: taken %d, done %v, %v", level, n, len(packed), taken, d.Done(), err)
			}
			if pos, _, err = d.Decode(dst, pos, packed[n:]); err != nil || !d.Done() || !bytes.Equal(dst[:pos], data) {
				t.Fatalf("level %d, after %d bytes: done %v, %v", level, n, d.Done(), err)
			}
		}
	}
}

// What RFC 1951 forbids is refused.
func TestCorrupt(t *testing.T) {
	t.Parallel()
	for name, src := range map[string][]byte{
		"block type 3":                     {0x07},
		"stored lengths differ":            {0x01, 0x01, 0x00, 0x00, 0x00},
		"distance before the first byte":   {0x63, 0x00, 0x42, 0x00, 0x00, 0x00},
		"too many literal codes":           {0xfd, 0xff, 0xff, 0xff},
		"all code lengths of length zero?": {0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00},
	} {
		var d Decoder
		dst := make([]byte, 1000)
		_, _, err := d.Decode(dst, 0, append(src, make([]byte, 64)...))
		_, oracle := io.ReadAll(flate.NewReader(bytes.NewReader(append(src, make([]byte, 64)...))))
		if (oracle != nil) != errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v, compress/flate says %v", name, err, oracle)
		}
	}
}

// FuzzDecoder holds the decoder against compress/flate: both accept the same
// streams, with the same bytes, however input and output are split.
func FuzzDecoder(f *testing.F) {
	for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
		for _, size := range []int{0, 1, 300, 5000} {
			f.Add(deflate(f, text(size), level), uint64(size))
		}
	}
	f.Add([]byte{0x07}, uint64(0))
	f.Fuzz(func(t *testing.T, src []byte, seed uint64) {
		const limit = 1 << 20
		want, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(src)), limit))
		ok := err == nil
		if got, gotOK := whole(src, limit); gotOK != ok || ok && !bytes.Equal(got, want) {
			t.Fatalf("whole: accepted %v, want %v (%v); %d bytes, want %d", gotOK, ok, err, len(got), len(want))
		}
		got, gotOK := pieces(src, limit, rand.New(rand.NewPCG(seed, 1)))
		if gotOK != ok || ok && !bytes.Equal(got[:min(len(got), limit)], want) {
			t.Fatalf("pieces: accepted %v, want %v (%v); %d bytes, want %d", gotOK, ok, err, len(got), len(want))
		}
	})
}

func Benchmark(b *testing.B) {
	for _, c := range []struct {
		name string
		size int
	}{{"4KiB", 4 << 10}, {"64KiB", 64 << 10}, {"8MiB", 8 << 20}} {
		data := text(c.size)
		packed := deflate(b, data, 6)
		dst := make([]byte, len(data)+300)
		b.Run(c.name+"/ours", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			var d Decoder
			for b.Loop() {
				d.Reset()
				if _, _, err := d.Decode(dst, 0, packed); err != nil {
					b.Fatal(err)
				}
			}
		})
		for name, r := range map[string]io.Reader{"klauspost": kflate.NewReader(nil), "std": flate.NewReader(bytes.NewReader(nil))} {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				for b.Loop() {
					if err := r.(interface { // both libraries promise it
						Reset(io.Reader, []byte) error
					}).Reset(bytes.NewReader(packed), nil); err != nil {
						b.Fatal(err)
					}
					if _, err := io.ReadFull(r, dst[:len(data)]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
