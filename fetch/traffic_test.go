package fetch_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
)

// member is a file of an archive, or a directory if its name ends with a slash.
type member struct {
	name string
	size int
}

// several returns n files of the same size.
func several(n, size int) []member {
	list := make([]member, n)
	for i := range list {
		list[i] = member{fmt.Sprintf("dist/file-%04d.bin", i), size}
	}
	return list
}

// noise can't be compressed, so an archive is as large as its content.
var noise = sync.OnceValue(func() []byte { return content(37 * mib) })

// zipped creates a ZIP file as runners do, with descriptors after the data.
func zipped(t *testing.T, method uint16, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: method}
		if strings.HasSuffix(m.name, "/") {
			h.Method = zip.Store
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(noise()[i : i+m.size]); m.size > 0 && err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarred(t *testing.T, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i, m := range members {
		if err := w.WriteHeader(&tar.Header{Name: m.name, Mode: 0o644, Size: int64(m.size)}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(noise()[i : i+m.size]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// askedTwice counts the bytes of a file of that size in more than one request. A request
// without an end doesn't count: it delivers what no other one requests.
func askedTwice(t *testing.T, requests []string, size int64) int64 {
	t.Helper()
	var spans []span
	for _, r := range requests {
		var first, last int64
		switch n, _ := fmt.Sscanf(r, "bytes=%d-%d", &first, &last); {
		case n == 2:
			spans = append(spans, span{first, min(last+1, size)})
		case n == 1 && first < 0: // the last bytes
			spans = append(spans, span{max(size+first, 0), size})
		case r != "bytes=0-":
			t.Fatalf("range %q", r)
		}
	}
	return overlap(spans)
}

// No byte of an archive is requested or read twice, whatever its layout: the first answer
// is used wherever the first files begin, in small archives and in large ones.
func TestNoByteIsAskedForTwice(t *testing.T) {
	t.Parallel()
	dir := member{"dist/", 0}
	small := zipped(t, zip.Deflate, append([]member{dir}, several(400, 10_000)...)...)
	tests := []struct {
		name    string
		archive []byte
		opts    fetch.Options
		how     extract.Options
		before  func(http.ResponseWriter, *http.Request, int) bool
	}{
		{name: "one entry at the beginning", archive: zipped(t, zip.Store, member{"a", 3 * mib})},
		{name: "one entry behind its directory", archive: zipped(t, zip.Store, dir, member{"dist/a", 3 * mib})},
		{name: "deflated", archive: zipped(t, zip.Deflate, dir, member{"dist/a", 3 * mib})},
		{name: "one entry, costly", archive: zipped(t, zip.Store, dir, member{"dist/a", 3 * mib}), how: extract.Options{Pace: extract.Pace{Costly: true}}},
		{name: "many small files", archive: small},
		{name: "many small files, one worker", archive: small, how: extract.Options{Pace: extract.Pace{Workers: 1}}},
		{name: "the first region ends within the first answer", archive: zipped(t, zip.Store, append([]member{dir}, several(12, 700_000)...)...)},
		{name: "regions of all sizes", archive: zipped(t, zip.Store, append(several(3, 300_000), member{"b", 2 * mib}, member{"c", 90_000})...)},
		{name: "an entry of several pieces", archive: zipped(t, zip.Store, dir, member{"dist/a", 36 * mib}, member{"dist/b", 100})},
		{name: "small files before an entry of several pieces", archive: zipped(t, zip.Store, append(several(8, 50_000), member{"a", 20 * mib})...)},
		{name: "an entry of several pieces, costly", archive: zipped(t, zip.Store, dir, member{"dist/a", 20 * mib}), how: extract.Options{Pace: extract.Pace{Costly: true}}},
		{name: "a little more than the first answer", archive: zipped(t, zip.Store, dir, member{"dist/a", mib})},
		{name: "hardly more than the first answer", archive: zipped(t, zip.Store, dir, member{"dist/a", mib - 200})},
		{name: "the end overlaps the first answer", archive: zipped(t, zip.Store, append([]member{dir}, several(30, 40_000)...)...)},
		{name: "a directory larger than the end", archive: zipped(t, zip.Store, several(16_000, 60)...)},
		{name: "something in front", archive: append(content(50_000), zipped(t, zip.Store, dir, member{"dist/a", 2 * mib})...)},
		{name: "a tar", archive: tarred(t, member{"a", 2 * mib}, member{"b", mib})},
		{name: "the beginning left out", archive: zipped(t, zip.Store, member{"x", 2 * mib}, member{"a", 2 * mib}), how: extract.Options{Selection: extract.Selection{Exclude: []string{"x"}}}},
		{name: "a little of the beginning left out", archive: zipped(t, zip.Store, member{"x", 100_000}, member{"a", 2 * mib}), how: extract.Options{Selection: extract.Selection{Exclude: []string{"x"}}}},
		{name: "a part", archive: zipped(t, zip.Store, several(12, 700_000)...), opts: fetch.Options{Partial: true}, how: extract.Options{Selection: extract.Selection{Include: []string{"**/*0[07].bin", "**/*11.bin"}}}},
		{name: "a part, without suffix ranges", archive: zipped(t, zip.Store, append([]member{dir}, several(30, 100_000)...)...), opts: fetch.Options{Partial: true}, how: extract.Options{Selection: extract.Selection{Include: []string{"**/*0?.bin"}}}, before: noSuffix},
	}
	for _, tt := range tests {
		for _, large := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, large %v", tt.name, large), func(t *testing.T) {
				t.Parallel()
				o := serve(t, tt.archive, tt.before)
				opener := open
				if large {
					opener = openLarge
				}
				f := opener(t, o, tt.opts)
				extractAll(t, f, tt.how)
				asked := o.asked()
				if tt.before != nil {
					asked = slices.DeleteFunc(asked, func(r string) bool { return strings.HasPrefix(r, "bytes=-") }) // ignored
				}
				t.Logf("%d read of %d, %d requests", f.Stats().Bytes, f.Size(), len(asked))
				if twice := askedTwice(t, asked, f.Size()); twice > 0 || o.readTwice() > 0 {
					t.Errorf("%d bytes of %d were asked for twice, %d were read twice: %s", twice, f.Size(), o.readTwice(), lines(asked))
				}
			})
		}
	}
}

// extractAll extracts an archive, with four workers by default.
func extractAll(t *testing.T, f *fetch.File, how extract.Options) {
	t.Helper()
	if how.Workers == 0 {
		how.Workers = 4
	}
	stage, err := extract.NewStage(t.TempDir(), extract.StageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stage.Discard(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := stage.Add(t.Context(), f, how); err != nil {
		t.Fatal(err)
	}
}
