package extract_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/extract"
)

func TestCat(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("a line of a large file\n", 1<<20)
	archive := pack(t, file("a/f", "content"), link("a/l", "f"), link("up", "a/../a/l"), link("round", "trip"), link("trip", "round"),
		link("out", "../../etc/passwd"), dir("a/d/"), file("large", large), file("empty", ""))
	tests := []struct {
		name, want string
		err        any
	}{
		{"a/f", "content", nil},
		{"./a//f", "content", nil},
		{"a/l", "content", nil},
		{"up", "content", nil},
		{"large", large, nil},
		{"empty", "", nil},
		{"round", "", new(*extract.UnsafeError)},
		{"out", "", new(*extract.NoMatchError)},
		{"a/d", "", new(*extract.NoMatchError)},
		{"a", "", new(*extract.NoMatchError)},
		{"A/F", "", new(*extract.NoMatchError)},
	}
	for _, tt := range tests {
		var got strings.Builder
		err := extract.Cat(t.Context(), source(archive), tt.name, &got)
		if tt.err != nil && !errors.As(err, tt.err) || tt.err == nil && err != nil || got.String() != tt.want {
			t.Errorf("%s: %d bytes, %v", tt.name, got.Len(), err)
		}
	}
	// Bytes written so far stay, but the error says that they are wrong.
	bad := bytes.Replace(archive, []byte("content"), []byte("CONTENT"), 1)
	var got strings.Builder
	if err := extract.Cat(t.Context(), source(bad), "a/f", &got); !asType(err, new(*extract.CorruptError)) {
		t.Errorf("%q, %v", got.String(), err)
	}
}

// Cat refuses what extracting refuses, whatever file is wanted, and writes nothing.
func TestCatRefuses(t *testing.T) {
	t.Parallel()
	for name, archive := range map[string][]byte{
		"the same name":    pack(t, file("a", "1"), file("a", "2"), file("b", "")),
		"the same path":    pack(t, file("a", "1"), file("./a", "2"), file("b", "")),
		"below a file":     pack(t, file("a", "1"), file("a/c", "2"), file("b", "")),
		"out of it":        pack(t, file("a", "1"), file("../c", "2"), file("b", "")),
		"no name":          pack(t, file("a", "1"), file(".", "2"), file("b", "")),
		"file, then a dir": pack(t, file("a", "1"), dir("a/"), file("b", "")),
	} {
		for _, wanted := range []string{"a", "b"} {
			var got strings.Builder
			err := extract.Cat(t.Context(), source(archive), wanted, &got)
			if !is[*extract.UnsafeError](err) || got.Len() > 0 {
				t.Errorf("%s: %q of %s, %v", name, got.String(), wanted, err)
			}
		}
	}
	var got strings.Builder
	repeated := pack(t, dir("d/"), dir("d/"), file("d/.git/config", "1"))
	if err := extract.Cat(t.Context(), source(repeated), "d/.git/config", &got); err != nil || got.String() != "1" {
		t.Errorf("%q, %v", got.String(), err)
	}
}

// Archives in other formats can be extracted, but have no directory to read in part.
func TestOnlyZipsAreReadInPart(t *testing.T) {
	t.Parallel()
	sevenZip, err := os.ReadFile("testdata/small.7z")
	if err != nil {
		t.Fatal(err)
	}
	for format, archive := range map[string][]byte{"tar": tarOf(t, tarItem{name: "a", content: "x"}), "7z": sevenZip} {
		_, err := extract.List(t.Context(), source(archive), extract.Selection{})
		for _, err := range []error{err, extract.Cat(t.Context(), source(archive), "a", io.Discard)} {
			if other, ok := errors.AsType[*extract.NotZipError](err); !ok || other.Format != format || !strings.Contains(other.Hint(), "fetch") {
				t.Errorf("%s: %v", format, err)
			}
		}
	}
}
