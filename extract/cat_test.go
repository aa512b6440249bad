package extract_test

import (
	"bytes"
	"errors"
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
