package extract

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzCleanName: what is let through stays inside, on every platform, and
// cleaning is done once and for all.
func FuzzCleanName(f *testing.F) {
	for _, name := range []string{"a", "a/b", "./a", "a//b/", "..", "a/../b", "/a", `\a`, `C:\a`, "C:a", `a\..\b`, `./\`, "./C:a", "a\x00", ".git/x", ".GIT. ", "git~1/x", "a:b", "\xff", "测/试", "..a", "a.b/c_d-e+f", "a./b", "a/.b", "a/", "/", strings.Repeat("a", 256), strings.Repeat("a/", 300)} {
		f.Add(name, "x", true)
		f.Add("dir/link", name, false)
	}
	f.Fuzz(func(t *testing.T, name, target string, backslash bool) {
		r := rules{backslash: backslash}
		clean, err := r.cleanName(name, false)
		if slow, slowErr := cleanOther(name, false); slow != clean || (slowErr == nil) != (err == nil) {
			t.Fatalf("cleanName(%q) = %q, %v; a closer look says %q, %v", name, clean, err, slow, slowErr)
		}
		if err != nil {
			if !is[*UnsafeError](err) {
				t.Fatalf("error of another type: %v", err)
			}
			return
		}
		if backslash && r.unfit(clean) == "" && strings.ContainsAny(clean, `\:`) {
			t.Fatalf("Windows reads %q in its own way", clean)
		}
		if clean != "" && (!filepath.IsLocal(clean) || path.Clean(clean) != clean || strings.HasPrefix(clean, "/")) {
			t.Fatalf("cleanName(%q) = %q, which is not local", name, clean)
		}
		if clean != "" {
			if again, err := r.cleanName(clean, false); err != nil || again != clean {
				t.Fatalf("cleanName(%q) = %q, %v", clean, again, err)
			}
			if checkTarget(name, target) == nil && r.leads(clean, target) == "" && !filepath.IsLocal(path.Join(path.Dir(clean), target)) {
				t.Fatalf("a link at %q may point to %q", clean, target)
			}
		}
	})
}

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
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Add([]byte{})
}

// FuzzDirectory holds the parser against archive/zip: what both accept, both
// read alike, and what is accepted lies inside of the archive.
func FuzzDirectory(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, archive []byte) {
		size := int64(len(archive))
		entries, err := readDirectory(bytes.NewReader(archive), size, Options{}.withDefaults())
		if err != nil {
			return
		}
		for _, e := range entries {
			if e.offset < 0 || e.packed < 0 || e.size < 0 || e.end > size || e.offset+lenLocal+e.packed > e.end {
				t.Fatalf("%q lies outside: offset %d, packed %d, end %d of %d", e.name, e.offset, e.packed, e.end, size)
			}
		}
		oracle, err := zip.NewReader(bytes.NewReader(archive), size)
		if err != nil && !errors.Is(err, zip.ErrInsecurePath) || len(oracle.File) != len(entries) {
			return // it is stricter in some ways, and more lenient in others
		}
		for i, want := range oracle.File {
			got := entries[i]
			if got.stored != want.Name || got.method != want.Method || uint64(got.size) != want.UncompressedSize64 ||
				uint64(got.packed) != want.CompressedSize64 || got.crc != want.CRC32 {
				t.Fatalf("entry %d: %+v, archive/zip has %+v", i, got, want.FileHeader)
			}
		}
	})
}

// FuzzExtract: whatever arrives, nothing is written outside, nothing is left
// behind on an error, and the file that was there is whole.
func FuzzExtract(f *testing.F) {
	seeds(f)
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, archive []byte) {
		parent := t.TempDir()
		out := filepath.Join(parent, "out")
		if err := os.Mkdir(out, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(out, "mine"), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		stage, err := NewStage(out, StageOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = stage.Add(t.Context(), FromReaderAt(bytes.NewReader(archive), int64(len(archive))), Options{MaxBytes: 1 << 20, MaxFiles: 1000})
		if err == nil {
			err = stage.Commit(t.Context())
		}
		if discardErr := stage.Discard(); discardErr != nil {
			t.Fatal(discardErr)
		}
		failed := err != nil
		walkErr := filepath.WalkDir(parent, func(p string, _ fs.DirEntry, err error) error {
			inside := p == parent || p == out || strings.HasPrefix(p, out+string(filepath.Separator))
			if !inside || failed && p != parent && p != out && filepath.Base(p) != "mine" || strings.Contains(p, stagePrefix) {
				t.Errorf("left: %s (error %v)", p, failed)
			}
			return err
		})
		if walkErr != nil {
			t.Fatal(walkErr)
		}
	})
}

func storedZip(t *testing.T, files int, content []byte) []byte {
	t.Helper()
	return zipOf(t, files, content, zip.Store)
}

func deflatedZip(t *testing.T, content []byte) []byte {
	t.Helper()
	return zipOf(t, 1, content, zip.Deflate)
}

func zipOf(t *testing.T, files int, content []byte, method uint16) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	for i := range files {
		e, err := w.CreateHeader(&zip.FileHeader{Name: strconv.Itoa(i), Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzNames holds that a name means the same again, whatever its bytes: it is UTF-8,
// or the bytes themselves.
func FuzzNames(f *testing.F) {
	f.Add("\x81ber", "", uint16(0), byte(0))
	f.Add("über", "über", uint16(flagUTF8), byte(3))
	f.Add("../x", "..\x00", uint16(0), byte(19))
	f.Fuzz(func(t *testing.T, stored, unicode string, flags uint16, creator byte) {
		field := append([]byte{1}, le.AppendUint32(nil, crc32.ChecksumIEEE([]byte(stored)))...)
		x := extraFields{stored: stored}
		x.unicodePath(append(field, unicode...))
		name := entryName(stored, x.unicode, flags, creator)
		if name != stored && !utf8.ValidString(name) {
			t.Errorf("%q, %q: %q", stored, unicode, name)
		}
		if x.unicode != "" && x.unicode != unicode {
			t.Errorf("the field holds %q, not %q", unicode, x.unicode)
		}
		if name == "" && stored != "" {
			t.Errorf("%q became %q", stored, name)
		}
	})
}

// FuzzSevenZip holds that no header of a 7z archive makes its check panic, or read
// far.
func FuzzSevenZip(f *testing.F) {
	for _, name := range []string{"small.7z", "plain.7z", "encrypted.7z"} {
		archive, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive)
	}
	f.Fuzz(func(t *testing.T, archive []byte) {
		err := check7z(bytes.NewReader(archive), int64(len(archive)))
		if err != nil && !is[*CorruptError](err) && !is[*UnsafeError](err) && !is[*LimitError](err) {
			t.Errorf("%T: %v", err, err)
		}
	})
}
