package extract

import (
	"archive/tar"
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// add extracts an archive, and returns the files.
func add(t *testing.T, archive []byte, o Options) (map[string]string, error) {
	t.Helper()
	b := newSandbox(t)
	err := b.extract(t, func(s *Stage) error {
		_, err := s.Add(t.Context(), FromReaderAt(bytes.NewReader(archive), int64(len(archive))), o)
		return err
	})
	if err != nil {
		return nil, err
	}
	return b.tree(t), nil
}

// Every compression is recognized, for a tar and for a single file, with frames without
// content in front, and in several parts. With any byte missing at its end, it is
// truncated.
func TestStreams(t *testing.T) {
	t.Parallel()
	plain := tarSeeds(t)["gnu"]
	want, why := expect(plain, Options{}.withDefaults())
	if why != "" {
		t.Fatal(why)
	}
	skippable := []byte("\x5f\x2a\x4d\x18\x03\x00\x00\x00abc\x50\x2a\x4d\x18\x00\x00\x00\x00")
	for name, by := range compressors() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stream := compressed(t, by, plain)
			variants := map[string][]byte{"as it is": stream}
			if name != "lzma" { // which has no end marker of its own
				variants["in two parts"] = append(compressed(t, by, plain[:1000]), compressed(t, by, plain[1000:])...)
			}
			if name == "zstd" || name == "lz4" {
				variants["skippable frames in front"] = append(bytes.Clone(skippable), stream...)
				variants["skippable frames behind"] = append(bytes.Clone(stream), skippable...)
			}
			for variant, archive := range variants {
				if got, err := add(t, archive, Options{}); err != nil || !maps.Equal(got, want) {
					t.Errorf("%s: %v, %q", variant, err, got)
				}
			}
			single := compressed(t, by, []byte("one file"))
			if got, err := add(t, single, Options{BareName: "name"}); err != nil || got["name"] != "one file" {
				t.Errorf("a single file: %v, %q", err, got)
			}
			for n := 1; n < 60; n++ {
				if _, err := add(t, stream[:len(stream)-n], Options{}); err == nil {
					t.Errorf("%d bytes may be missing", n)
				}
			}
		})
	}
}

// The trailer of an lzip member contains the CRC-32 and the size.
func TestLzipTrailer(t *testing.T) {
	t.Parallel()
	const lenTrailer = 20
	stream := compressed(t, compressors()["lzip"], tarSeeds(t)["gnu"])
	for i := range 12 {
		bad := bytes.Clone(stream)
		bad[len(bad)-lenTrailer+i] ^= 1
		if _, err := add(t, bad, Options{}); !is[*CorruptError](err) {
			t.Errorf("byte %d was changed: %v", i, err)
		}
	}
}

// Every compression that has a checksum refuses damaged data, or extracts it correctly.
// The error names each format once, though libraries name theirs, too.
func TestStreamDamage(t *testing.T) {
	t.Parallel()
	plain := tarSeeds(t)["gnu"]
	want, _ := expect(plain, Options{}.withDefaults())
	for name, by := range compressors() {
		unsummed := name == "lzma" || name == "lz4" // no checksum; none of its headers' reserved bits
		stream := compressed(t, by, plain)
		for i := 0; i < len(stream); i += 3 {
			bad := slices.Clone(stream)
			bad[i] ^= 1 << (i % 8)
			if got, err := add(t, bad, Options{BareName: "bare"}); err == nil && !unsummed && !maps.Equal(got, want) {
				t.Errorf("%s: byte %d was changed: %q", name, i, slices.Collect(maps.Keys(got)))
			} else if err != nil && saysTwice(err.Error()) {
				t.Errorf("%s: byte %d was changed: %v", name, i, err)
				break
			}
		}
	}
}

// saysTwice reports whether a message repeats a prefix, as in "xz: xz: ", or contains the
// import path of a library.
func saysTwice(message string) bool {
	parts := strings.Split(message, ": ")
	return len(slices.Compact(slices.Clone(parts))) < len(parts) || strings.Contains(message, "archive/")
}

// Prefixes of nested errors are printed once, wherever they come from.
func TestFormatIsSaidOnce(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"gzip: invalid header":            "gzip: invalid header",
		"invalid header":                  "gzip: invalid header",
		"gzip: gzip: invalid header":      "gzip: invalid header",
		"archive/tar: invalid tar header": "gzip: tar: invalid tar header",
		"gzippy: gzip: x":                 "gzip: gzippy: gzip: x",
	} {
		inner := errors.New(text)
		err := archive.CorruptFormat("gzip", inner)
		if got := err.Error(); got != "corrupt archive: "+want || !errors.Is(err, inner) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// The reader's position says where a tar ends; its last bytes don't.
func TestTarEnds(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("\x00", 4096)
	plain := tarOfFiles(t, "zeros", zeros, "last", "important")
	first := 512 + len(zeros)
	for name, tt := range map[string]struct {
		archive []byte
		want    string // in "last", if there is an end
	}{
		"whole":                              {plain, "important"},
		"something behind":                   {append(bytes.Clone(plain), "trailer"...), "important"},
		"another tar behind":                 {append(bytes.Clone(plain), tarOfFiles(t, "last", "other")...), "important"},
		"many zeros behind":                  {append(bytes.Clone(plain), make([]byte, 10240)...), "important"},
		"cut off behind zeros":               {plain[:first], ""},
		"cut off in the zeros":               {plain[:first-1024], ""},
		"cut off behind a header":            {plain[:first+512], ""},
		"cut off in the padding":             {plain[:first+512+100], ""},
		"cut off behind the last":            {plain[:len(plain)-1024], ""},
		"one block of zeros":                 {plain[:len(plain)-512], ""},
		"one block of zeros and another one": {append(bytes.Clone(plain[:len(plain)-512]), plain...), ""},
	} {
		for _, archive := range [][]byte{tt.archive, compressed(t, compressors()["gzip"], tt.archive)} {
			got, err := add(t, archive, Options{})
			if tt.want != "" && (err != nil || got["last"] != tt.want || len(got) != 2) || tt.want == "" && !is[*CorruptError](err) {
				t.Errorf("%s: %v, %.60q", name, err, got)
			}
		}
	}
}

// A tar without members is a whole one, however long its record is. More or fewer zeros
// aren't, nor is a file of zeros with another name.
func TestEmptyTars(t *testing.T) {
	t.Parallel()
	zeros := make([]byte, 20000)
	for n, whole := range map[int]bool{512: false, 1023: false, 1024: true, 1025: false, 1536: true, 10240: true, 10241: false, 10752: false, 20000: false} {
		for _, archive := range [][]byte{zeros[:n], compressed(t, compressors()["gzip"], zeros[:n])} {
			got, err := add(t, archive, Options{})
			if whole && (err != nil || len(got) != 0) || !whole && !is[*NotArchiveError](err) {
				t.Errorf("%d zeros in %d bytes: %v, %q", n, len(archive), err, got)
			}
		}
		for name, kept := range map[string]bool{"a.tar": !whole, "a.TAR": !whole, "a.gz": true, "a": true} {
			got, err := add(t, zippedAs(t, name, zeros[:n]), Options{Unpack: 1})
			if _, is := got[name]; err != nil || is != kept {
				t.Errorf("%d zeros as %s: %v, %.60q", n, name, err, got)
			}
		}
	}
	if _, err := add(t, append(zeros[:10239], 'x'), Options{}); !is[*NotArchiveError](err) {
		t.Errorf("zeros and another byte: %v", err)
	}
}

// Only a zip has a checksum for each file.
func TestSummed(t *testing.T) {
	t.Parallel()
	tarred := tarOfFiles(t, "a", "content")
	for want, archives := range map[bool][][]byte{
		true:  {zippedAs(t, "a", []byte("content")), []byte("<html>"), []byte("Rar!\x1a\x07\x00"), nil},
		false: {tarred, compressed(t, compressors()["gzip"], tarred), []byte("7z\xbc\xaf\x27\x1c\x00\x04")},
	} {
		for _, archive := range archives {
			for _, head := range []bool{true, false} {
				if got, err := Summed(t.Context(), FromReaderAt(bytes.NewReader(archive), int64(len(archive))), head); err != nil || got != want {
					t.Errorf("%.20q, %v: %v, %v", archive, head, got, err)
				}
			}
		}
	}
}

// Zeros after a gzip file are padding, as on a tape; anything else is damage, unless it is
// another member.
func TestGzipPadding(t *testing.T) {
	t.Parallel()
	gz := func(content []byte) []byte { return compressed(t, compressors()["gzip"], content) }
	plain := tarOfFiles(t, "last", "important")
	tarball, half := gz(plain), len(plain)/2
	empty := bytes.Repeat(gz(nil), 200)
	for name, tt := range map[string]struct {
		archive []byte
		good    bool
	}{
		"no padding":                 {tarball, true},
		"a zero":                     {append(bytes.Clone(tarball), 0), true},
		"a tape's block":             {append(bytes.Clone(tarball), make([]byte, 300<<10)...), true},
		"two members":                {append(gz(plain[:half]), gz(plain[half:])...), true},
		"two members and zeros":      {slices.Concat(gz(plain[:half]), gz(plain[half:]), make([]byte, 10)), true},
		"empty members":              {slices.Concat(gz(plain[:half]), empty, gz(plain[half:]), empty), true},
		"zeros between two members":  {slices.Concat(gz(plain[:half]), make([]byte, 10), gz(plain[half:])), false},
		"zeros, and something else":  {slices.Concat(tarball, make([]byte, 10), []byte("x")), false},
		"something else":             {append(bytes.Clone(tarball), "something else"...), false},
		"a member that was cut off":  {slices.Concat(tarball, gz([]byte("more"))[:12]), false},
		"a header that was cut off":  {slices.Concat(tarball, tarball[:5]), false},
		"a trailer that was cut off": {tarball[:len(tarball)-1], false},
		"a wrong checksum":           {slices.Concat(tarball[:len(tarball)-8], make([]byte, 8)), false},
	} {
		got, err := add(t, tt.archive, Options{})
		if tt.good && (err != nil || got["last"] != "important") || !tt.good && !is[*CorruptError](err) {
			t.Errorf("%s: %v, %.60q", name, err, got)
		}
	}
}

// A time that no file can have here isn't an error.
func TestTarTimes(t *testing.T) {
	t.Parallel()
	for _, seconds := range []string{"-1", "0", "4000000000", "253402300800", "9000000000000000000", "-9000000000000000000"} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		err := w.WriteHeader(&tar.Header{Name: "f", Typeflag: tar.TypeReg, PAXRecords: map[string]string{"comment": "mtime", "VENDOR.x": strings.Repeat("0", len(seconds))}})
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		// The writer refuses such a time, so the test overwrites a record of the same
		// length.
		archive := bytes.Replace(b.Bytes(), []byte("VENDOR.x="), []byte("mtime=000"), 1)
		archive = bytes.Replace(archive, []byte("=000"+strings.Repeat("0", len(seconds))), []byte("="+strings.Repeat("0", 3)+seconds), 1)
		if seconds[0] == '-' {
			archive = bytes.Replace(archive, []byte("=000-"), []byte("=-000"), 1)
		}
		if got, err := add(t, archive, Options{}); err != nil || len(got) != 1 {
			t.Errorf("%s: %v", seconds, err)
		}
	}
}

// The entry types that GNU tar adds to those of POSIX.
func TestTarTypes(t *testing.T) {
	t.Parallel()
	sparse := make([]byte, 70_000)
	copy(sparse, "begin")
	copy(sparse[20_000:], "middle")
	copy(sparse[60_000:], "end")
	files, err := filepath.Glob("testdata/sparse-*.tar")
	if err != nil || len(files) != 4 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		archive, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := add(t, archive, Options{}); err != nil || got["holes"] != string(sparse) || len(got) != 1 {
			t.Errorf("%s: %v", name, err)
		}
		// Holes count, because they are written.
		if _, err := add(t, archive, Options{Limits: Limits{MaxBytes: 69_999}}); !is[*LimitError](err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	archive, err := os.ReadFile("testdata/incremental-gnu.tar")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := add(t, archive, Options{}); err != nil || got["d/x"] != "x\n" || len(got) != 2 {
		t.Errorf("a label and lists of directories: %v, %q", err, got)
	}
	for kind, want := range map[byte]string{'7': "", 'M': `of type 'M'`, 'N': `of type 'N'`, '3': "device or a pipe", '4': "device or a pipe", '6': "device or a pipe"} {
		plain := tarOfFiles(t, "f", "content")
		plain[156] = kind // POSIX.1-2017, pax, "ustar Interchange Format"
		got, err := add(t, resum(plain), Options{})
		if want == "" && (err != nil || got["f"] != "content") || want != "" && (!is[*UnsafeError](err) || !strings.Contains(err.Error(), want)) {
			t.Errorf("type %q: %v", kind, err)
		}
	}
}

// A mode without permissions is valid.
func TestTarModes(t *testing.T) {
	t.Parallel()
	plain := tarOfFiles(t, "f", "content")
	copy(plain[100:], "0000000")
	out := t.TempDir()
	stage, err := NewStage(out, StageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	archive := resum(plain)
	for range 2 { // the second is compared with the first, which is unreadable
		if _, err = stage.Add(t.Context(), FromReaderAt(bytes.NewReader(archive), int64(len(archive))), Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := stage.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(out, "f")); err != nil || info.Mode() != 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// A nested archive is unpacked even if its mode makes it unreadable. If it isn't an
// archive, it keeps its mode.
func TestUnpackUnreadable(t *testing.T) {
	t.Parallel()
	archive := rawZipOf(t, 0o100000, "a.gz", string(compressed(t, compressors()["gzip"], []byte("content"))), "b.gz", "no gzip")
	out := t.TempDir()
	stage, err := NewStage(out, StageOptions{})
	if err == nil {
		_, err = stage.Add(t.Context(), FromReaderAt(bytes.NewReader(archive), int64(len(archive))), Options{Unpack: 1})
	}
	if err == nil {
		err = stage.Commit(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(filepath.Join(out, "a")); err != nil || string(content) != "content" {
		t.Errorf("%q, %v", content, err)
	}
	if info, err := os.Stat(filepath.Join(out, "b.gz")); err != nil || info.Mode() != 0 {
		t.Errorf("%v, %v", info, err)
	}
}

// Unsupported formats are named; nested ones stay as they are.
func TestUnsupportedFormats(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]string{
		"\x1f\x9d\x90": "compress (.Z)", "Rar!\x1a\x07\x01\x00": "RAR", "Rar!\x1a\x07\x00": "RAR", "!<arch>\ndebian-binary": "ar archive", "070701": "cpio",
		"\xed\xab\xee\xdb\x03": "RPM", "MSCF\x00\x00\x00\x00": "cabinet", "xar!": "xar", "\x89LZO\x00\r\n\x1a\n": "lzop", "\x02\x21\x4c\x18": "lz4",
	} {
		body := head + strings.Repeat("x", 2000)
		_, err := add(t, []byte(body), Options{})
		if e, ok := errors.AsType[*UnsupportedError](err); !ok || !strings.Contains(e.Error(), want) || e.Hint() == "" {
			t.Errorf("%q: %v", head, err)
		}
		if got, err := add(t, zippedAs(t, "a.gz", []byte(body)), Options{Unpack: 1}); err != nil || got["a.gz"] != body {
			t.Errorf("%q in a zip: %v", head, err)
		}
	}
}

// A local file that is a report, not an archive, isn't blamed on a wrong address.
func TestHintsForReports(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][2]string{
		"<?xml version='1.0'?><testsuites/>": {"server's address", "use the file itself"},
		`{"version": "15.0.0"}`:              {"server's address", "use the file itself"},
		"<!doctype html>":                    {"login page", "login page"},
	} {
		_, err := add(t, []byte(body), Options{})
		e, ok := errors.AsType[*NotArchiveError](err)
		if !ok || !strings.Contains(e.Hint(), want[0]) {
			t.Fatalf("%s: %v: %s", body, err, e.Hint())
		}
		if e.Local = true; !strings.Contains(e.Hint(), want[1]) {
			t.Errorf("%s: %s", body, e.Hint())
		}
	}
}
