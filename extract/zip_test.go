package extract_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/extract"
)

// item is an entry of an archive that a test creates.
type item struct {
	name, content string
	mode          fs.FileMode                // a regular file with 0644 if zero
	method        uint16                     // stored if zero
	raw           func(h *zip.FileHeader)    // changes the header that is written
	patch         func(header, local []byte) // changes bytes of the finished archive
}

func file(name, content string) item { return item{name: name, content: content} }
func dir(name string) item           { return item{name: name, mode: fs.ModeDir | 0o755} }
func link(name, target string) item {
	return item{name: name, content: target, mode: fs.ModeSymlink | 0o777}
}

// pack writes items as they are, without the checks of a regular writer.
func pack(t testing.TB, items ...item) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, it := range items {
		h := &zip.FileHeader{Name: it.name, Method: it.method}
		if it.mode == 0 {
			it.mode = 0o644
		}
		h.SetMode(it.mode)
		body := []byte(it.content)
		if it.method == zip.Deflate {
			var packed bytes.Buffer
			fw, err := flate.NewWriter(&packed, 6)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := fw.Write(body); err != nil {
				t.Fatal(err)
			}
			if err := fw.Close(); err != nil {
				t.Fatal(err)
			}
			body = packed.Bytes()
		}
		h.CRC32 = crc32.ChecksumIEEE([]byte(it.content))
		h.UncompressedSize64, h.CompressedSize64 = uint64(len(it.content)), uint64(len(body))
		if it.raw != nil {
			it.raw(h)
		}
		e, err := w.CreateRaw(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	out := b.Bytes()
	for _, it := range items {
		if it.patch != nil {
			it.patch(centralHeader(t, out, it.name), localHeader(t, out, it.name))
		}
	}
	return out
}

func centralHeader(t testing.TB, archive []byte, name string) []byte {
	t.Helper()
	return header(t, archive, name, "PK\x01\x02", 46)
}

func localHeader(t testing.TB, archive []byte, name string) []byte {
	t.Helper()
	return header(t, archive, name, "PK\x03\x04", 30)
}

func header(t testing.TB, archive []byte, name, signature string, length int) []byte {
	t.Helper()
	for i := range archive {
		if bytes.HasPrefix(archive[i:], []byte(signature)) && bytes.HasPrefix(archive[min(i+length, len(archive)):], []byte(name)) {
			return archive[i:]
		}
	}
	t.Fatalf("no header of %q", name)
	return nil
}

// unicodePath is the extra field with another name for the entry.
func unicodePath(of, name string) []byte {
	b := append([]byte{0x75, 0x70, byte(5 + len(name)), 0, 1}, binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(of)))...)
	return append(b, name...)
}

// zip64Field is the extra field for sizes of more than 32 bits.
func zip64Field(sizes ...uint64) []byte {
	b := []byte{1, 0, byte(8 * len(sizes)), 0}
	for _, n := range sizes {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return b
}

func put16(b []byte, at int, v uint16) { binary.LittleEndian.PutUint16(b[at:], v) }
func put32(b []byte, at int, v uint32) { binary.LittleEndian.PutUint32(b[at:], v) }

// Every class of hostile or damaged archive is refused before the workspace changes, and
// the error names the entry.
func TestRefused(t *testing.T) {
	t.Parallel()
	unsafe, damaged, limit := new(*extract.UnsafeError), new(*extract.CorruptError), new(*extract.LimitError)
	bad := func(it item) []item { return []item{file("good.txt", "x"), it, file("more.txt", "y")} }
	tests := []struct {
		name  string
		items []item
		opts  extract.Options
		want  any
		entry string // that the message names
	}{
		{name: "parent", items: bad(file("../evil", "x")), want: unsafe, entry: "../evil"},
		{name: "parent inside", items: bad(file("a/../../evil", "x")), want: unsafe, entry: "a/../../evil"},
		{name: "parent that stays inside", items: bad(file("a/../b", "x")), want: unsafe, entry: "a/../b"},
		{name: "absolute", items: bad(file("/etc/evil", "x")), want: unsafe, entry: "/etc/evil"},
		{name: "backslash absolute", items: bad(file(`\evil`, "x")), want: unsafe, entry: `\\evil`},
		{name: "backslash parent", items: bad(file(`a\..\..\evil`, "x")), want: unsafe, entry: "evil"},
		{name: "UNC", items: bad(file(`\\host\share\evil`, "x")), want: unsafe, entry: "evil"},
		{name: "drive", items: bad(file("C:evil", "x")), want: unsafe, entry: "C:evil"},
		{name: "NUL", items: bad(file("a\x00b", "x")), want: unsafe, entry: `a\x00b`},
		{name: "control character", items: bad(file("a\x1b[31m", "x")), want: unsafe, entry: `a\x1b[31m`},
		{name: "empty name", items: bad(file("", "x")), want: unsafe, entry: "no name"},
		{name: "the directory itself as a file", items: bad(file("./.", "x")), want: unsafe, entry: "./."},
		{name: "long component", items: bad(file(strings.Repeat("n", 256), "x")), want: unsafe, entry: "nnn"},
		{name: "long path", items: bad(file(strings.Repeat("d/", 2100)+"f", "x")), want: unsafe, entry: "d/d/"},
		{name: "deep", items: bad(file(strings.Repeat("d/", 201)+"f", "x")), want: unsafe, entry: "d/d/"},
		{name: "git", items: bad(file(".git/hooks/pre-commit", "x")), want: unsafe, entry: ".git"},
		{name: "git in disguise", items: bad(file("sub/.GIT. /config", "x")), want: unsafe, entry: ".GIT"},
		{name: "duplicate", items: bad(file("good.txt", "z")), want: unsafe, entry: "good.txt"},
		{name: "duplicate after cleaning", items: bad(file("./good.txt", "z")), want: unsafe, entry: "./good.txt"},
		{name: "file and directory", items: bad(dir("good.txt/")), want: unsafe, entry: "good.txt/"},
		{name: "below a file", items: bad(file("good.txt/below", "x")), want: unsafe, entry: "good.txt/below"},
		{name: "below a link", items: []item{link("l", "."), file("l/f", "x")}, want: unsafe, entry: "l/f"},
		{name: "below a link, before it", items: []item{file("l/f", "x"), link("l", ".")}, want: unsafe, entry: "l/f"},
		{name: "link and file", items: []item{link("l", "x"), file("l", "x")}, want: unsafe, entry: "l"},
		{name: "absolute link", items: bad(link("l", "/etc/passwd")), want: unsafe, entry: "l"},
		{name: "link out", items: bad(link("l", "../x")), want: unsafe, entry: "l"},
		{name: "link out by a detour", items: bad(link("a/l", "b/../../../x")), want: unsafe, entry: "a/l"},
		{name: "link without target", items: bad(link("l", "")), want: unsafe, entry: "l"},
		{name: "link with NUL", items: bad(link("l", "a\x00b")), want: unsafe, entry: "l"},
		{name: "endless link", items: bad(link("l", strings.Repeat("a", 5000))), want: unsafe, entry: "l"},
		{name: "device", items: bad(item{name: "dev", mode: fs.ModeDevice | 0o644}), want: unsafe, entry: "dev"},
		{name: "pipe", items: bad(item{name: "pipe", mode: fs.ModeNamedPipe | 0o644}), want: unsafe, entry: "pipe"},
		{name: "socket", items: bad(item{name: "sock", mode: fs.ModeSocket | 0o644}), want: unsafe, entry: "sock"},
		{name: "encrypted", items: bad(item{name: "secret", content: "x", raw: func(h *zip.FileHeader) { h.Flags |= 1 }}), want: unsafe, entry: "secret"},
		{name: "unknown method", items: bad(item{name: "odd", content: "x", raw: func(h *zip.FileHeader) { h.Method = 98 }}), want: unsafe, entry: "PPMd"},
		{name: "overlap", items: []item{file("a", "xxxxxxxx"), {name: "b", content: "y", patch: func(h, _ []byte) { put32(h, 42, 0) }}}, want: unsafe, entry: "overlaps"},
		{name: "into the directory", items: bad(item{name: "big", content: "x", patch: func(h, _ []byte) { put32(h, 20, 5000); put32(h, 24, 5000) }}), want: unsafe, entry: "big"},
		{name: "last into the directory", items: []item{{name: "big", content: "x", patch: func(h, _ []byte) { put32(h, 20, 5000); put32(h, 24, 5000) }}}, want: damaged, entry: "big"},
		{name: "too many", items: bad(file("b", "x")), opts: extract.Options{Limits: extract.Limits{MaxFiles: 2}}, want: limit, entry: "more than 2 entries"},
		{name: "too large", items: bad(file("b", "xxxxx")), opts: extract.Options{Limits: extract.Limits{MaxBytes: 5}}, want: limit, entry: "more than 5 bytes"},
		{name: "bomb", items: bad(item{name: "bomb", content: strings.Repeat("0", 1<<20), method: zip.Deflate, patch: func(h, _ []byte) { put32(h, 24, 10) }}), want: damaged, entry: "bomb"},
		{name: "shorter than it says", items: bad(item{name: "short", content: "abc", method: zip.Deflate, patch: func(h, _ []byte) { put32(h, 24, 10) }}), want: damaged, entry: "short"},
		{name: "stored with two sizes", items: bad(item{name: "two", content: "abc", patch: func(h, _ []byte) { put32(h, 24, 2) }}), want: damaged, entry: "two"},
		{name: "wrong CRC", items: bad(item{name: "crc", content: "abc", patch: func(h, _ []byte) { h[16] ^= 1 }}), want: damaged, entry: "crc"},
		{name: "CRC of zero", items: bad(item{name: "crc0", content: "abc", patch: func(h, _ []byte) { put32(h, 16, 0) }}), want: damaged, entry: "crc0"},
		{name: "local name differs", items: bad(item{name: "aa", content: "x", patch: func(_, l []byte) { l[30] = 'b' }}), want: damaged, entry: "aa"},
		{name: "local method differs", items: bad(item{name: "aa", content: "x", patch: func(_, l []byte) { put16(l, 8, 8) }}), want: damaged, entry: "aa"},
		{name: "local CRC differs", items: bad(item{name: "aa", content: "x", patch: func(_, l []byte) { l[14] ^= 1 }}), want: damaged, entry: "aa"},
		{name: "local size differs", items: bad(item{name: "aa", content: "x", patch: func(_, l []byte) { put32(l, 22, 2) }}), want: damaged, entry: "aa"},
		{name: "locally encrypted", items: bad(item{name: "aa", content: "x", patch: func(_, l []byte) { put16(l, 6, 1) }}), want: damaged, entry: "aa"},
		{name: "a descriptor that is not there", items: bad(item{name: "aa", content: "x", patch: func(h, l []byte) { h[8] |= 8; l[6] |= 8 }}), want: damaged, entry: "aa"},
		{name: "another unknown method", items: bad(item{name: "odd", content: "x", raw: func(h *zip.FileHeader) { h.Method = 10 }}), want: unsafe, entry: "DCL implode"},
		{name: "swollen", items: bad(item{name: "bomb", content: "x", method: zip.Deflate, patch: func(h, _ []byte) { put32(h, 24, 2<<30) }}), want: limit, entry: "more than 1000 times its own"},
		{name: "another name in a local field", items: bad(item{name: "aa", content: "x", raw: func(h *zip.FileHeader) { h.Extra = unicodePath("aa", "bb") }, patch: func(h, _ []byte) { put16(h, 46+2, 0x4141) }}), want: damaged, entry: "aa"},
		{name: "another size in a local field", items: bad(item{name: "aa", content: "x", raw: func(h *zip.FileHeader) { h.Extra = zip64Field(2, 1) }, patch: func(_, l []byte) { put32(l, 18, math.MaxUint32); put32(l, 22, math.MaxUint32) }}), want: damaged, entry: "aa"},
		{name: "a size that no local field has", items: bad(item{name: "aa", content: "x", patch: func(_, l []byte) { put32(l, 18, math.MaxUint32); put32(l, 22, math.MaxUint32) }}), want: damaged, entry: "aa"},
		{name: "no local header", items: bad(item{name: "aa", content: "x", patch: func(_, l []byte) { l[0] = 'X' }}), want: damaged, entry: "aa"},
		{name: "damaged stream", items: bad(item{name: "deflated", content: strings.Repeat("abc", 99), method: zip.Deflate, patch: func(_, l []byte) { l[30+len("deflated")] = 7 }}), want: damaged, entry: "deflated"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			parent := t.TempDir()
			out := filepath.Join(parent, "ws")
			if err := os.MkdirAll(out, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(out, "good.txt"), []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
			before := tree(t, parent)
			_, err := unpack(t, pack(t, tt.items...), out, tt.opts)
			if !asType(err, tt.want) {
				t.Fatalf("error = %v (%T), want a %T", err, err, tt.want)
			}
			if !strings.Contains(err.Error(), tt.entry) {
				t.Errorf("error %q does not name %q", err, tt.entry)
			}
			if diff := cmp.Diff(before, tree(t, parent)); diff != "" {
				t.Errorf("something changed:\n%s", diff)
			}
		})
	}
}

// Unusual but harmless archives are accepted.
func TestAccepted(t *testing.T) {
	t.Parallel()
	plain := []item{file("a.txt", "x")}
	tests := []struct {
		name    string
		archive []byte
		opts    extract.Options
		want    []string // names
	}{
		{"empty", pack(t), extract.Options{}, nil},
		{"dots and slashes", pack(t, file("./a//b/./c", "x")), extract.Options{}, []string{"a", "a/b", "a/b/c"}},
		{"directory twice", pack(t, dir("a/"), file("a/b", "x"), dir("a/")), extract.Options{}, []string{"a", "a/b"}},
		{"the directory itself", pack(t, dir("./"), file("a", "x")), extract.Options{}, []string{"a"}},
		{"two dots in a name", pack(t, file("a..b", "x"), file("...", "x")), extract.Options{}, []string{"...", "a..b"}},
		{"something in front", append([]byte("#!/bin/sh\nexit\n"), pack(t, plain...)...), extract.Options{}, []string{"a.txt"}},
		{"comment", withComment(pack(t, plain...), "PK\x05\x06 and more"), extract.Options{}, []string{"a.txt"}},
		{"git when allowed", pack(t, file(".git/config", "x")), extract.Options{AllowGit: true}, []string{".git", ".git/config"}},
		{"link to a parent inside", pack(t, link("a/b/l", "../../c"), file("c", "x")), extract.Options{}, []string{"a", "a/b", "a/b/l", "c"}},
		{"deflate", pack(t, item{name: "a", content: strings.Repeat("hello ", 9999), method: zip.Deflate}), extract.Options{}, []string{"a"}},
		{"something behind", append(pack(t, plain...), make([]byte, 60_000)...), extract.Options{}, []string{"a.txt"}},
		{"a comment that was cut short", withComment(pack(t, plain...), "a comment")[:len(pack(t, plain...))+3], extract.Options{}, []string{"a.txt"}},
		{"an archive in front", append(pack(t, file("another", "y")), pack(t, plain...)...), extract.Options{}, []string{"a.txt"}},
		{"what was read from a pipe", pack(t, item{name: "-", content: "x", mode: fs.ModeNamedPipe | 0o600}), extract.Options{}, []string{"-"}},
		{"descriptors", described(t, nil), extract.Options{}, []string{"a.txt", "b.txt"}},
		{"empty deflated file", pack(t, item{name: "a", method: zip.Deflate}), extract.Options{}, []string{"a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "new", "ws")
			if _, err := unpack(t, tt.archive, out, tt.opts); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, names(t, out)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func withComment(archive []byte, comment string) []byte {
	out := slices.Clone(archive)
	put16(out, len(out)-2, uint16(len(comment)))
	return append(out, comment...)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	for _, l := range tree(t, dir) {
		name, _, _ := strings.Cut(l, "\t")
		all = append(all, name)
	}
	return all
}

func TestModes(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	archive := pack(t,
		item{name: "setuid", content: "x", mode: fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky | 0o755},
		item{name: "secret", content: "x", mode: 0o600},
		item{name: "none", content: "x", raw: func(h *zip.FileHeader) { h.ExternalAttrs, h.CreatorVersion = 0, 0 }},
		item{name: "nobody", content: "x", raw: func(h *zip.FileHeader) { h.ExternalAttrs = 0o100000 << 16 }},
		item{name: "locked/", mode: fs.ModeDir | 0o500},
		item{name: "locked/f", content: "x", mode: 0o444},
		file("implied/deep/f", "x"),
	)
	if _, err := unpack(t, archive, out, extract.Options{}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{
		"setuid": 0o755, "secret": 0o600, "none": 0o644, "nobody": 0, "locked": fs.ModeDir | 0o700, "locked/f": 0o444,
		"implied": fs.ModeDir | 0o755, "implied/deep": fs.ModeDir | 0o755,
	} {
		info, err := os.Lstat(filepath.Join(out, name))
		if err != nil || info.Mode() != want {
			t.Errorf("mode of %s = %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
}

func TestSelection(t *testing.T) {
	t.Parallel()
	archive := pack(t,
		dir("dist/"), file("dist/app", "1"), file("dist/app.map", "2"), file("dist/js/x.js", "3"),
		file("lib/a/b.so", "4"), file("lib/c.so", "5"), file("report.xml", "6"), file("odd [1].txt", "7"), file(".hidden/f", "8"),
	)
	tests := []struct {
		name string
		opts extract.Options
		want string
	}{
		{"directory", extract.Options{Selection: extract.Selection{Include: []string{"dist"}}}, "dist dist/app dist/app.map dist/js dist/js/x.js"},
		{"directory with a slash", extract.Options{Selection: extract.Selection{Include: []string{"./dist/"}}}, "dist dist/app dist/app.map dist/js dist/js/x.js"},
		{"not a prefix", extract.Options{Selection: extract.Selection{Include: []string{"dist/app"}}}, "dist dist/app"},
		{"file", extract.Options{Selection: extract.Selection{Include: []string{"report.xml"}}}, "report.xml"},
		{"glob", extract.Options{Selection: extract.Selection{Include: []string{"lib/**/*.so"}}}, "lib lib/a lib/a/b.so lib/c.so"},
		{"one star stays", extract.Options{Selection: extract.Selection{Include: []string{"lib/*.so"}}}, "lib lib/c.so"},
		{"braces", extract.Options{Selection: extract.Selection{Include: []string{"{dist,lib}/**"}, Exclude: []string{"**/*.map", "dist/js"}}}, "dist dist/app lib lib/a lib/a/b.so lib/c.so"},
		{"a directory by glob", extract.Options{Selection: extract.Selection{Include: []string{"d*t"}}}, "dist dist/app dist/app.map dist/js dist/js/x.js"},
		{"escaped", extract.Options{Selection: extract.Selection{Include: []string{`odd \[1\].txt`}}}, "odd [1].txt"},
		{"hidden", extract.Options{Selection: extract.Selection{Include: []string{"*/f"}}}, ".hidden .hidden/f"},
		{"everything but", extract.Options{Selection: extract.Selection{Exclude: []string{"dist", "lib", ".hidden"}}}, "odd [1].txt report.xml"},
		{"strip", extract.Options{Selection: extract.Selection{Include: []string{"lib"}, StripComponents: 1}}, "a a/b.so c.so"},
		{"strip keeps what is at the top", extract.Options{Selection: extract.Selection{Include: []string{"report.xml", "dist/app"}, StripComponents: 5}}, "app report.xml"},
		{"by the name it gets", extract.Options{Selection: extract.Selection{Include: []string{"b.so"}, StripComponents: 2}}, "b.so"},
		{"flat", extract.Options{Selection: extract.Selection{Include: []string{"**/*.so"}, Flat: true}}, "b.so c.so"},
		{"prefix", extract.Options{Selection: extract.Selection{Include: []string{"report.xml"}, Prefix: "x/y"}}, "x x/y x/y/report.xml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := t.TempDir()
			if _, err := unpack(t, archive, out, tt.opts); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(names(t, out), " "); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestSelectionErrors(t *testing.T) {
	t.Parallel()
	archive := pack(t, file("a/x", "1"), file("b/x", "2"), file("Build.log", "3"))
	tests := []struct {
		name string
		opts extract.Options
		want any
		text string
	}{
		{"no match", extract.Options{Selection: extract.Selection{Include: []string{"a", "nothing", "b*"}}}, new(*extract.NoMatchError), `no file matches "nothing"`},
		{"malformed", extract.Options{Selection: extract.Selection{Include: []string{"a["}}}, new(*extract.PatternError), `"a["`},
		{"malformed exclude", extract.Options{Selection: extract.Selection{Exclude: []string{"{a"}}}, new(*extract.PatternError), `"{a"`},
		{"collision", extract.Options{Selection: extract.Selection{StripComponents: 1}}, new(*extract.ConflictError), `both "a/x" and "b/x"`},
		{"flat collision", extract.Options{Selection: extract.Selection{Flat: true}}, new(*extract.ConflictError), `both "a/x" and "b/x"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out")
			_, err := unpack(t, archive, out, tt.opts)
			if !asType(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %v, want a %T that says %s", err, tt.want, tt.text)
			}
			if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the output directory was left behind: %v", err)
			}
		})
	}
	noMatch := &extract.NoMatchError{}
	_, err := unpack(t, archive, t.TempDir(), extract.Options{Selection: extract.Selection{Include: []string{"build.LOG"}}})
	if !errors.As(err, &noMatch) || !slices.Contains(noMatch.Near, "Build.log") {
		t.Errorf("error = %v: %v, want a hint at Build.log", err, noMatch.Near)
	}
}

// Damage never yields a wrong file: each flipped bit is either detected, or doesn't
// matter.
func TestEveryFlippedBit(t *testing.T) {
	t.Parallel()
	archive := pack(t, item{name: "a.txt", content: strings.Repeat("content ", 20), method: zip.Deflate}, file("b.txt", "stored"))
	clean := t.TempDir()
	if _, err := unpack(t, archive, clean, extract.Options{}); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	survived := 0
	for i := range archive {
		damaged := slices.Clone(archive)
		damaged[i] ^= 1 << (i % 8)
		dir := filepath.Join(out, "x")
		if _, err := unpack(t, damaged, dir, extract.Options{}); err != nil {
			continue
		}
		survived++
		for _, path := range []string{"a.txt", "b.txt"} {
			want, err := os.ReadFile(filepath.Join(clean, path))
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(dir, path))
			if err == nil && !bytes.Equal(got, want) {
				t.Fatalf("bit flipped in byte %d: %s has other content", i, path)
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	if survived > len(archive)/2 {
		t.Errorf("%d of %d flipped bits were not noticed", survived, len(archive))
	}
}

// Wherever an archive is truncated, nothing is extracted.
func TestEveryTruncation(t *testing.T) {
	t.Parallel()
	archive := pack(t, item{name: "a.txt", content: strings.Repeat("content ", 20), method: zip.Deflate}, file("b.txt", "stored"))
	out := filepath.Join(t.TempDir(), "out")
	for n := range archive {
		if _, err := unpack(t, archive[:n], out, extract.Options{}); err == nil {
			t.Fatalf("the first %d bytes were taken for an archive", n)
		}
		if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("after %d bytes: something was left behind", n)
		}
	}
}

func TestNotAnArchive(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"":                             "an empty body",
		"<!DOCTYPE html><title>x":      "an HTML page",
		"\n <HTML>":                    "an HTML page",
		`{"message":"404 Not Found"}`:  "a JSON document",
		"<?xml version='1.0'?><Error>": "an XML document",
		"Retry later\n":                "text",
		"\x00\x01\x02 binary":          "data of an unknown kind",
	} {
		_, err := unpack(t, []byte(body), t.TempDir(), extract.Options{})
		found, ok := errors.AsType[*extract.NotArchiveError](err)
		if !ok || found.What != want {
			t.Errorf("%q: %v, want %s", body, err, want)
		}
	}
}

// counting counts requests to a source.
type counting struct {
	extract.Source
	ranges, reads int
	bytes         int64
}

// ReadAt implements [io.ReaderAt].
func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.reads++
	c.bytes += int64(len(p))
	return c.Source.ReadAt(p, off)
}

// Range implements [extract.Source].
func (c *counting) Range(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	c.ranges++
	c.bytes += n
	return c.Source.Range(ctx, off, n)
}

// A selection costs its own bytes, the directory, and little else.
func TestCost(t *testing.T) {
	t.Parallel()
	var items []item
	for i := range 2000 {
		items = append(items, file("dir/file-"+strings.Repeat("n", i%50)+string(rune('a'+i%26))+itoa(i), strings.Repeat("c", 50_000)))
	}
	archive := pack(t, items...)
	src := &counting{Source: extract.FromReaderAt(bytes.NewReader(archive), int64(len(archive)))}
	_, err := unpackFrom(t, src, t.TempDir(), extract.Options{Selection: extract.Selection{Include: []string{items[3].name, items[1500].name}}, Pace: extract.Pace{Workers: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if src.ranges != 2 || src.reads != 3 || src.bytes > 600_000 {
		t.Errorf("%d ranges, %d reads, %d bytes; want 2, 3, at most 600,000", src.ranges, src.reads, src.bytes)
	}
}

func TestZip64(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	const n = 66_000 // more than 16 bits count
	for i := range n {
		if _, err := w.CreateHeader(&zip.FileHeader{Name: itoa(i)}); err != nil { // stored: 66,000 compressors are slow
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	stats, err := unpack(t, b.Bytes(), t.TempDir(), extract.Options{Selection: extract.Selection{Include: []string{"1", "65999"}}})
	if err != nil || stats.Files != 2 {
		t.Errorf("stats = %+v, %v", stats, err)
	}
}

// described is an archive with descriptors after the data. change may change the first of
// them.
func described(t testing.TB, change func(descriptor []byte)) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range []string{"a.txt", "b.txt"} {
		e, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Write([]byte(strings.Repeat(name, 99))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	out := b.Bytes()
	if change != nil {
		_, descriptor, _ := bytes.Cut(out, []byte("PK\x07\x08"))
		change(descriptor)
	}
	return out
}

// Sizes may be in a field of the local header, whatever the directory contains.
func TestLocalZip64(t *testing.T) {
	t.Parallel()
	for name, sizes := range map[string]uint32{"both": math.MaxUint32, "the field says again what the header says": 1} {
		archive := pack(t, item{name: "aa", content: "x", raw: func(h *zip.FileHeader) { h.Extra = zip64Field(1, 1) }, patch: func(_, l []byte) {
			put32(l, 18, sizes)
			put32(l, 22, sizes)
		}})
		if _, err := unpack(t, archive, t.TempDir(), extract.Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A program that reads from the beginning uses the descriptor.
func TestDescriptorsDisagree(t *testing.T) {
	t.Parallel()
	for _, at := range []int{0, 4, 8} { // CRC-32, compressed size, size
		archive := described(t, func(d []byte) { d[at] ^= 1 })
		if _, err := unpack(t, archive, t.TempDir(), extract.Options{}); !asType(err, new(*extract.CorruptError)) || !strings.Contains(err.Error(), `"a.txt"`) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
}

// If two archives follow each other, with something after both, it is unclear which one is
// meant.
func TestTwoArchivesWithATail(t *testing.T) {
	t.Parallel()
	one := pack(t, file("a", "x"))
	two := slices.Concat(one, []byte("something"), one, []byte("something"))
	end := bytes.LastIndex(two, []byte("PK\x05\x06"))
	put32(two[end:], 16, uint32(bytes.LastIndex(two, []byte("PK\x01\x02")))) // so that both are where the record says
	if _, err := unpack(t, two, t.TempDir(), extract.Options{}); !asType(err, new(*extract.UnsafeError)) {
		t.Errorf("error = %v", err)
	}
}

// If there is another archive in front, programs that use the offset in the end record may
// find the other one's directory.
func TestTwoArchives(t *testing.T) {
	t.Parallel()
	two := append(pack(t, file("a", "x")), pack(t, file("b", "y"))...)
	if _, err := unpack(t, two, t.TempDir(), extract.Options{}); !asType(err, new(*extract.UnsafeError)) {
		t.Errorf("error = %v", err)
	}
}

// Names as Info-ZIP and bsdtar read them, where they agree. Code page 437 is read as
// specified; Info-ZIP supports it but turns it into Latin-1.
func TestNameEncodings(t *testing.T) {
	t.Parallel()
	const dos, unix, ntfs = 0, 3, 10
	stored := "\x81ber.txt"
	tests := []struct {
		name, stored string
		creator      uint16
		flags        uint16
		extra        []byte
		want         string
	}{
		{"code page 437", stored, dos, 0, nil, "über.txt"},
		{"UTF-8 without the flag", "über.txt", dos, 0, nil, "über.txt"},
		{"Unix: as it is", stored, unix, 0, nil, stored},
		{"NTFS: as it is", stored, ntfs, 0, nil, stored},
		{"flag", "über.txt", dos, 0x800, nil, "über.txt"},
		{"flag on what is not UTF-8", stored, dos, 0x800, nil, stored},
		{"Unicode path", stored, unix, 0, unicodePath(stored, "über.txt"), "über.txt"},
		{"Unicode path of DOS", stored, dos, 0, unicodePath(stored, "über.txt"), "über.txt"},
		{"Unicode path of another name", stored, unix, 0, unicodePath("other", "über.txt"), stored},
		{"Unicode path that is not UTF-8", stored, unix, 0, unicodePath(stored, "\xff"), stored},
		{"empty Unicode path", stored, unix, 0, unicodePath(stored, ""), stored},
		{"line drawing", "\xda\xc4\xbf", dos, 0, nil, "┌─┐"},
	}
	for _, tt := range tests {
		archive := pack(t, item{name: tt.stored, content: "x", raw: func(h *zip.FileHeader) {
			h.CreatorVersion, h.Flags, h.Extra = tt.creator<<8|20, tt.flags, tt.extra
		}})
		out := t.TempDir()
		if _, err := unpack(t, archive, out, extract.Options{}); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := strings.Join(names(t, out), " "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	evil := pack(t, item{name: stored, content: "x", raw: func(h *zip.FileHeader) { h.Extra = unicodePath(stored, "../evil") }})
	if _, err := unpack(t, evil, t.TempDir(), extract.Options{}); !asType(err, new(*extract.UnsafeError)) {
		t.Errorf("an unsafe Unicode path: %v", err)
	}
}
