package sevenzip

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"testing"
)

// Attributes are Windows's, with a Unix mode in the upper bits.
func TestModes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		attributes []byte
		isDir      bool
		want       fs.FileMode
	}{
		{nil, false, 0o644},
		{nil, true, fs.ModeDir | 0o755},
		{[]byte{0x20, 0, 0, 0}, false, 0o644},
		{[]byte{0x21, 0, 0, 0}, false, 0o444},
		{[]byte{0x11, 0, 0, 0}, true, fs.ModeDir | 0o755},
		{[]byte{0x20, 0x80, 0xed, 0x81}, false, 0o755},
		{[]byte{0x20, 0x80, 0xed, 0x89}, false, 0o755}, // setuid
		{[]byte{0x20, 0x80, 0x00, 0x80}, false, 0},
		{[]byte{0x20, 0x80, 0, 0}, false, 0o644},
		{[]byte{0x20, 0x80, 0xff, 0xa1}, false, fs.ModeSymlink | 0o777},
		{[]byte{0x10, 0x80, 0xc0, 0x41}, true, fs.ModeDir | 0o700},
		{[]byte{0x20, 0x80, 0xa4, 0x81}, true, fs.ModeDir | 0o755},
		{[]byte{0x20, 0x80, 0xa4, 0x11}, false, fs.ModeNamedPipe | 0o644},
	} {
		if got := fileMode(tt.attributes, tt.isDir); got != tt.want {
			t.Errorf("%x: %v, want %v", tt.attributes, got, tt.want)
		}
	}
}

// The part between is read as if the three were one.
func TestJoined(t *testing.T) {
	t.Parallel()
	whole := []byte("0123456789")
	j := joined{whole[:3], io.NewSectionReader(bytes.NewReader(whole), 3, 4), whole[7:]}
	for off := range int64(12) {
		for n := range 12 {
			got, want := make([]byte, n), make([]byte, n)
			gotN, gotErr := j.ReadAt(got, off)
			wantN, wantErr := 0, error(nil)
			if wantN = copy(want, whole[min(off, 10):]); wantN < n {
				wantErr = io.EOF
			}
			if gotN != wantN || !bytes.Equal(got, want) || !errors.Is(gotErr, wantErr) {
				t.Errorf("ReadAt(%d, %d) = %d, %v, %q; want %d, %v, %q", n, off, gotN, gotErr, got, wantN, wantErr, want)
			}
		}
	}
}
