package extract_test

import (
	"archive/tar"
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
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"gitlab.com/artifetch/artifetch/extract"
)

type tarItem struct {
	name, content, link string
	kind                byte // a file if zero
	mode                int64
}

func tarOf(t testing.TB, items ...tarItem) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, it := range items {
		if it.kind == 0 {
			it.kind = tar.TypeReg
		}
		if it.mode == 0 {
			it.mode = 0o644
		}
		if err := w.WriteHeader(&tar.Header{Name: it.name, Linkname: it.link, Typeflag: it.kind, Mode: it.mode, Size: int64(len(it.content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, it.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarGz(t testing.TB, items ...tarItem) []byte {
	t.Helper()
	return compress(t, tarOf(t, items...), func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
}

func compress(t testing.TB, data []byte, by func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := by(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTar(t *testing.T) {
	t.Parallel()
	plain := tarOf(t,
		tarItem{name: "d/", kind: tar.TypeDir, mode: 0o750},
		tarItem{name: "d/run", content: "#!/bin/sh\n", mode: 0o4755},
		tarItem{name: "d/hard", kind: tar.TypeLink, link: "d/run"},
		tarItem{name: "l", kind: tar.TypeSymlink, link: "d/run"},
		tarItem{name: "other/x", content: "x"},
	)
	archives := map[string][]byte{
		"tar": plain,
		"gz":  compress(t, plain, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }),
		"zst": compress(t, plain, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }),
		"xz":  compress(t, plain, func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }),
	}
	for name, archive := range archives {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out")
			stats, err := unpack(t, archive, out, extract.Options{Selection: extract.Selection{Exclude: []string{"other"}}})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range tree(t, out) {
				got = append(got, strings.Join(strings.Split(l, "\t")[:4], " "))
			}
			want := []string{"d dir 750 0", "d/hard file 755 10", "d/run file 755 10", "l symlink 777 0"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if stats.Files != 2 || stats.Links != 1 {
				t.Errorf("stats = %+v", stats)
			}
		})
	}
}

func TestTarRefused(t *testing.T) {
	t.Parallel()
	unsafe := new(*extract.UnsafeError)
	tests := []struct {
		name  string
		items []tarItem
		opts  extract.Options
		want  any
	}{
		{"parent", []tarItem{{name: "../x", content: "x"}}, extract.Options{}, unsafe},
		{"absolute", []tarItem{{name: "/x", content: "x"}}, extract.Options{}, unsafe},
		{"link out", []tarItem{{name: "l", kind: tar.TypeSymlink, link: "../x"}}, extract.Options{}, unsafe},
		{"through a link", []tarItem{{name: "l", kind: tar.TypeSymlink, link: "."}, {name: "l/x", content: "x"}}, extract.Options{}, unsafe},
		{"below a file", []tarItem{{name: "f", content: "x"}, {name: "f/x", content: "x"}}, extract.Options{}, unsafe},
		{"a link where a directory was", []tarItem{{name: "d/x", content: "x"}, {name: "d", kind: tar.TypeSymlink, link: "."}}, extract.Options{}, unsafe},
		{"hard link out", []tarItem{{name: "h", kind: tar.TypeLink, link: "/etc/passwd"}}, extract.Options{}, unsafe},
		{"hard link to nothing", []tarItem{{name: "h", kind: tar.TypeLink, link: "later"}, {name: "later", content: "x"}}, extract.Options{}, unsafe},
		{"hard link to a link", []tarItem{{name: "l", kind: tar.TypeSymlink, link: "x"}, {name: "h", kind: tar.TypeLink, link: "l"}}, extract.Options{}, unsafe},
		{"device", []tarItem{{name: "d", kind: tar.TypeBlock}}, extract.Options{}, unsafe},
		{"pipe", []tarItem{{name: "d", kind: tar.TypeFifo}}, extract.Options{}, unsafe},
		{"duplicate", []tarItem{{name: "f", content: "x"}, {name: "./f", content: "y"}}, extract.Options{}, unsafe},
		{"too many", []tarItem{{name: "f", content: "x"}, {name: "g", content: "y"}}, extract.Options{Limits: extract.Limits{MaxFiles: 1}}, new(*extract.LimitError)},
		{"too large", []tarItem{{name: "f", content: "xx"}, {name: "g", content: "yy"}}, extract.Options{Limits: extract.Limits{MaxBytes: 3}}, new(*extract.LimitError)},
		{"no match", []tarItem{{name: "f", content: "xx"}}, extract.Options{Selection: extract.Selection{Include: []string{"g"}}}, new(*extract.NoMatchError)},
		{"collision", []tarItem{{name: "a/f", content: "x"}, {name: "b/f", content: "y"}}, extract.Options{Selection: extract.Selection{Flat: true}}, new(*extract.ConflictError)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out")
			_, err := unpack(t, tarGz(t, append([]tarItem{{name: "0", content: "first"}}, tt.items...)...), out, tt.opts)
			if tt.opts.MaxFiles == 0 && tt.opts.MaxBytes == 0 && err == nil || !asType(err, tt.want) {
				t.Errorf("error = %v (%T), want a %T", err, err, tt.want)
			}
			if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
				t.Error("something was left behind")
			}
		})
	}
}

// A tar has no checksum of its contents, so damage shows only in the compression around
// it, whose checksum comes after the tar's end.
func TestTarDamage(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("some content ", 100)
	archive := tarGz(t, tarItem{name: "a", content: content}, tarItem{name: "b", content: "b"})
	out := filepath.Join(t.TempDir(), "out")
	for i := 10; i < len(archive); i++ { // after the gzip header, which has no checksum
		damaged := slices.Clone(archive)
		damaged[i] ^= 4
		if _, err := unpack(t, damaged, out, extract.Options{}); err == nil {
			// The last bits of the last byte of a stream are unused.
			if read(t, filepath.Join(out, "a")) != content || read(t, filepath.Join(out, "b")) != "b" {
				t.Fatalf("damage in byte %d went unnoticed", i)
			}
			if err := os.RemoveAll(out); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := unpack(t, archive[:i], out, extract.Options{}); err == nil {
			t.Fatalf("the first %d bytes were taken for the whole", i)
		}
	}
	plain := tarOf(t, tarItem{name: "a", content: "x"}, tarItem{name: "b", content: "y"})
	if _, err := unpack(t, plain[:1024], out, extract.Options{}); !asType(err, new(*extract.CorruptError)) {
		t.Errorf("a tar that is cut off between two files: %v", err)
	}
}
