package extract_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/extract"
)

func gz(t testing.TB, content string) string {
	t.Helper()
	return string(compress(t, []byte(content), func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }))
}

// Nested archives are unpacked in place, as deep as requested; a file that only has the
// name of one stays.
func TestUnpack(t *testing.T) {
	t.Parallel()
	deepest := gz(t, "deepest")
	inner := string(pack(t, file("in.txt", "in"), file("deep/x.txt.gz", deepest), link("l", "in.txt")))
	archive := pack(t,
		file("dist/inner.zip", inner), file("dist/app.jar", inner), file("dist/data.TGZ", string(tarGz(t, tarItem{name: "t/a", content: "a"}))),
		file("notes.gz", "no gzip at all"), file("broken/empty.zip", ""),
	)
	tests := []struct {
		depth int
		want  []string
	}{
		{0, []string{"broken", "broken/empty.zip", "dist", "dist/app.jar", "dist/data.TGZ", "dist/inner.zip", "notes.gz"}},
		{1, []string{"broken", "broken/empty.zip", "dist", "dist/app.jar", "dist/deep", "dist/deep/x.txt.gz", "dist/in.txt", "dist/l", "dist/t", "dist/t/a", "notes.gz"}},
		{2, []string{"broken", "broken/empty.zip", "dist", "dist/app.jar", "dist/deep", "dist/deep/x.txt", "dist/in.txt", "dist/l", "dist/t", "dist/t/a", "notes.gz"}},
	}
	for _, tt := range tests {
		for range 2 { // the second time over the existing files
			out := t.TempDir()
			if _, err := unpack(t, archive, out, extract.Options{Unpack: tt.depth}); err != nil {
				t.Fatalf("depth %d: %v", tt.depth, err)
			}
			if diff := cmp.Diff(tt.want, names(t, out)); diff != "" {
				t.Errorf("depth %d: %s", tt.depth, diff)
			}
			if tt.depth == 2 && read(t, out+"/dist/deep/x.txt") != "deepest" {
				t.Error("x.txt has another content")
			}
		}
	}
}

// An error in a nested archive applies to the whole, whatever the depth, and so do the
// limits.
func TestUnpackRefused(t *testing.T) {
	t.Parallel()
	zipOf := func(items ...item) string { return string(pack(t, items...)) }
	tests := []struct {
		name    string
		archive []byte
		opts    extract.Options
		want    any
		text    string
	}{
		{"unsafe name", pack(t, file("a/x.zip", zipOf(file("../../evil", "x")))), extract.Options{Unpack: 1}, new(*extract.UnsafeError), `unpacking "a/x.zip": unsafe entry "../../evil"`},
		{"unsafe name, deep", pack(t, file("x.zip", zipOf(file("y.zip", zipOf(file("/evil", "x")))))), extract.Options{Unpack: 9}, new(*extract.UnsafeError), `unpacking "y.zip"`},
		{"link out", pack(t, file("a/x.zip", zipOf(link("l", "../../evil")))), extract.Options{Unpack: 1}, new(*extract.UnsafeError), "points out"},
		{"damage", pack(t, file("x.zip", zipOf(item{name: "crc", content: "abc", patch: func(h, _ []byte) { h[16] ^= 1 }}))), extract.Options{Unpack: 1}, new(*extract.CorruptError), `"crc"`},
		{"damaged gzip", pack(t, file("x.gz", gz(t, strings.Repeat("x", 999))[:30])), extract.Options{Unpack: 1}, new(*extract.CorruptError), "x.gz"},
		{"damaged member of a tar", pack(t, file("x.tgz", string(tarGz(t, tarItem{name: "a", content: strings.Repeat("xyz", 9999)})[:120]))), extract.Options{Unpack: 1}, new(*extract.CorruptError), "x.tgz"},
		{"truncated zip", pack(t, file("x.zip", zipOf(file("a", "x"))[:40])), extract.Options{Unpack: 1}, new(*extract.CorruptError), "x.zip"},
		{"another content in one place", pack(t, file("a", "outer"), file("x.zip", zipOf(file("a", "inner")))), extract.Options{Unpack: 1}, new(*extract.ConflictError), `"a"`},
		{"bytes of all levels", pack(t, file("x.zip", zipOf(file("a", strings.Repeat("x", 200))))), extract.Options{Unpack: 1, Limits: extract.Limits{MaxBytes: 450}}, new(*extract.LimitError), "more than 450 bytes"},
		{"bytes of a single file", pack(t, file("x.gz", gz(t, strings.Repeat("x", 1<<20)))), extract.Options{Unpack: 1, Limits: extract.Limits{MaxBytes: 1 << 19}}, new(*extract.LimitError), "bytes"},
		{"entries of all levels", pack(t, file("x.zip", zipOf(file("a", "x"), file("b", "x")))), extract.Options{Unpack: 1, Limits: extract.Limits{MaxFiles: 2}}, new(*extract.LimitError), "more than 2 entries"},
	}
	for _, tt := range tests {
		out := t.TempDir()
		_, err := unpack(t, tt.archive, out, tt.opts)
		if !asType(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v (%T), want a %T with %q", tt.name, err, err, tt.want, tt.text)
		}
		if left := names(t, out); len(left) > 0 {
			t.Errorf("%s left %q", tt.name, left)
		}
	}
}

// Two archives may contain the same archive, which may contain files that already exist.
func TestUnpackOfDoubles(t *testing.T) {
	t.Parallel()
	inner := string(pack(t, file("a", "same")))
	out := t.TempDir()
	stage, err := extract.NewStage(out, extract.StageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stage.Discard() }()
	for range 2 {
		if _, err := stage.Add(t.Context(), source(pack(t, file("x.zip", inner), file("a", "same"))), extract.Options{Unpack: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := stage.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a"}, names(t, out)); diff != "" {
		t.Error(diff)
	}
}

func TestBareFile(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	archive := []byte(gz(t, "hello"))
	if _, err := unpack(t, archive, out, extract.Options{}); !asType(err, new(*extract.NotArchiveError)) {
		t.Errorf("without a name: %v", err)
	}
	if _, err := unpack(t, archive, out, extract.Options{BareName: "hello.txt"}); err != nil || read(t, out+"/hello.txt") != "hello" {
		t.Errorf("%v", err)
	}
	var empty bytes.Buffer
	w := gzip.NewWriter(&empty)
	if _, err := w.Write(make([]byte, 10240)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{extract.BareName("x.tgz"): nil, extract.BareName("x.TAR.gz"): nil, extract.BareName("x.TLZ"): nil, extract.BareName("zeros.gz"): {"zeros"}} {
		out := t.TempDir()
		if _, err := unpack(t, empty.Bytes(), out, extract.Options{BareName: name}); err != nil {
			t.Errorf("zeros as %s: %v", name, err)
		}
		if diff := cmp.Diff(want, names(t, out)); diff != "" {
			t.Errorf("zeros as %s: %s", name, diff)
		}
	}
}

// A real runner's statement matches its archive, and no other content.
func TestProvenance(t *testing.T) {
	t.Parallel()
	archive := sample(t, "runner-fastzip-metadata.zip")
	s, err := extract.ReadStatement(t.Context(), source(archive))
	if err != nil || len(s.Digests) != 50 || s.Job != "1" || s.JobName != "build" || s.Commit != "0ff3ae198f8601a285adcf5c0fff204ee6fba5fd" || s.Name != "artifacts-metadata.json" {
		t.Fatalf("%+v, %v", s, err)
	}
	if _, err := unpack(t, archive, t.TempDir(), extract.Options{Digests: s.Digests}); err != nil {
		t.Error(err)
	}
	for _, facts := range [][4]string{{"", "", "", ""}, {s.Commit, "1", "build", "g/p"}, {strings.ToUpper(s.Commit), "", "", "G/p"}} {
		if err := s.Expect(facts[0], facts[1], facts[2], facts[3]); err != nil {
			t.Errorf("%q: %v", facts, err)
		}
	}
	for _, facts := range [][4]string{{"0000", "", "", ""}, {"", "2", "", ""}, {"", "", "test", ""}, {"", "", "", "other/p"}, {"", "", "", "p"}} {
		if err := s.Expect(facts[0], facts[1], facts[2], facts[3]); (facts[3] == "p") != (err == nil) {
			t.Errorf("%q: %v", facts, err)
		}
	}
	for name, digests := range map[string]map[string]string{
		"another digest": {"a": strings.Repeat("ab", 32)}, "nothing said": {},
	} {
		for _, it := range []item{file("a", "x"), {name: "a", content: strings.Repeat("x", 9<<20), method: zip.Deflate}} {
			if _, err := unpack(t, pack(t, it), t.TempDir(), extract.Options{Digests: digests}); !asType(err, new(*extract.ProvenanceError)) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for _, other := range [][]byte{pack(t, file("x-metadata.json", "{}")), pack(t), tarGz(t, tarItem{name: "a", content: "a"})} {
		if _, err := extract.ReadStatement(t.Context(), source(other)); !asType(err, new(*extract.ProvenanceError)) {
			t.Errorf("no statement: %v", err)
		}
	}
}

func sample(t *testing.T, name string) []byte {
	t.Helper()
	archive, err := os.ReadFile(filepath.Join("..", "testdata", "samples", name))
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

// A 7z archive by p7zip: an executable file, a link, directories, a file of zeros.
func TestSevenZip(t *testing.T) {
	t.Parallel()
	archive, err := os.ReadFile(filepath.Join("testdata", "small.7z"))
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if _, err := unpack(t, archive, out, extract.Options{}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range tree(t, out) {
		got = append(got, strings.Join(strings.Split(l, "\t")[:4], " "))
	}
	want := []string{"a.txt file 755 6", "empty dir 755 0", "link symlink 777 0", "sub dir 755 0", "sub/zeros file 644 100000"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := unpack(t, archive, t.TempDir(), extract.Options{Limits: extract.Limits{MaxBytes: 9999}}); !asType(err, new(*extract.LimitError)) {
		t.Errorf("over the limit: %v", err)
	}
}

// Whichever bit of a 7z archive is flipped, the result is correct, or nothing is
// extracted.
func TestSevenZipDamage(t *testing.T) {
	t.Parallel()
	archive, err := os.ReadFile(filepath.Join("testdata", "small.7z"))
	if err != nil {
		t.Fatal(err)
	}
	good := t.TempDir()
	if _, err := unpack(t, archive, good, extract.Options{}); err != nil {
		t.Fatal(err)
	}
	want := tree(t, good)
	for i := range archive {
		for _, bit := range []byte{1, 128} {
			bad := slices.Clone(archive)
			bad[i] ^= bit
			out := t.TempDir()
			_, err := unpack(t, bad, out, extract.Options{})
			if err == nil && !slices.Equal(want, tree(t, out)) {
				t.Errorf("byte %d: something else came out", i)
			}
			if err != nil && len(tree(t, out)) > 0 {
				t.Errorf("byte %d: %v, and something came out", i, err)
			}
		}
	}
	for n := range archive {
		if _, err := unpack(t, archive[:n], t.TempDir(), extract.Options{}); err == nil {
			t.Errorf("%d bytes were enough", n)
		}
	}
	encrypted, err := os.ReadFile(filepath.Join("testdata", "encrypted.7z"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unpack(t, encrypted, t.TempDir(), extract.Options{}); !asType(err, new(*extract.UnsafeError)) {
		t.Errorf("encrypted: %v", err)
	}
}

// An interrupted transfer isn't damage.
func TestSevenZipTransferErrors(t *testing.T) {
	t.Parallel()
	archive, err := os.ReadFile(filepath.Join("testdata", "small.7z"))
	if err != nil {
		t.Fatal(err)
	}
	lost := errors.New("the connection is gone")
	src := &lossy{Source: source(archive), from: 32, to: 60, err: lost} // where the files are
	if _, err := unpackFrom(t, src, t.TempDir(), extract.Options{}); !errors.Is(err, lost) || asType(err, new(*extract.CorruptError)) {
		t.Errorf("error = %v", err)
	}
}

// lossy loses some bytes.
type lossy struct {
	extract.Source
	from, to int64
	err      error
}

// ReadAt implements [io.ReaderAt].
func (l *lossy) ReadAt(p []byte, off int64) (int, error) {
	if off < l.to && off+int64(len(p)) > l.from && off >= l.from {
		return 0, l.err
	}
	return l.Source.ReadAt(p, off)
}
