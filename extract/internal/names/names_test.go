package names

import (
	"errors"
	"testing"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// The rules of every platform are tested on every other. A name that is unsafe on one
// platform is refused on all; a name that only some can't have is unfit there.
func TestNamesByPlatform(t *testing.T) {
	t.Parallel()
	const linux, mac, windows = 1, 2, 4
	platforms := map[int]Rules{linux: {}, mac: {UTF8: true, Fold: true}, windows: {Backslash: true, UTF8: true, Fold: true}}
	tests := []struct {
		name    string
		refused int // by which
	}{
		{"a/b", 0},
		{"a..b/...x", 0},
		{"测试/é", 0},
		{".github/x", 0},
		{".gitignore", 0},
		{"console.txt", 0},
		{"com10", 0},
		{"nullable", 0},
		{"../a", linux | mac | windows},
		{`a\..\b`, linux | mac | windows},
		{"C:a", linux | mac | windows},
		{`\\host\share`, linux | mac | windows},
		{".git/config", linux | mac | windows},
		{"git~1/config", linux | mac | windows},
		{".git::$INDEX_ALLOCATION/config", linux | mac | windows},
		{".g\u200cit/config", linux | mac | windows},
		{`./\a`, linux | mac | windows},
		{"./C:a", linux | mac | windows},
		{"..\x00", linux | mac | windows},
		{"a/b\x7f", linux | mac | windows},
		{"a\u009b2J", linux | mac | windows},
		{"a\u2028b", linux | mac | windows},
		{"invoice\u202efdp.exe", linux | mac | windows},
		{"a\u2066b\u2069", linux | mac | windows},
		{"a\u200f", linux | mac | windows},
		{"./a\u061cb", linux | mac | windows},
		{"שלום/é\u200d\u00a0", 0}, // joiners and wide spaces are legitimate
		{`a\b`, windows},
		{"a\xff", mac | windows},
		{"a/b:stream", windows},
		{"a*b", windows},
		{"CON", windows},
		{"d/nul.txt", windows},
		{"Com1.log", windows},
		{"lpt³", windows},
		{"aux .c", windows},
		{"a. ", windows},
		{"a./b", windows},
	}
	for _, tt := range tests {
		for platform, r := range platforms {
			clean, err := r.Clean(tt.name, false)
			attack := tt.refused == linux|mac|windows
			if isUnsafe(err) != attack {
				t.Errorf("%q on platform %d: %v, want refused = %v", tt.name, platform, err, attack)
			}
			if reason, want := r.Unfit(clean), tt.refused&platform != 0; !attack && (reason != "") != want {
				t.Errorf("%q on platform %d: %q, want unfit = %v", tt.name, platform, reason, want)
			}
		}
	}
}

func TestLinkTargets(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path, target string
		out          bool
		outWindows   bool
	}{
		{"l", "a", false, false},
		{"l", "a/b", false, false},
		{"l", ".", false, false},
		{"l", "..", true, true},
		{"d/l", "..", false, false},
		{"d/l", "../a", false, false},
		{"d/l", "../../a", true, true},
		{"d/e/l", "../../a", false, false},
		{"d/l", "a/..", true, true}, // a may be a link
		{"d/l", "./../a", false, false},
		{"d/l", "..//a", false, false},
		{"l", "/a", true, true},
		{"l", `C:\a`, false, true},
		{"l", `..\a`, false, true},
	}
	for _, tt := range tests {
		if got := (Rules{}).Escape(tt.path, tt.target) != ""; got != tt.out {
			t.Errorf("%s -> %s leads out: %v", tt.path, tt.target, got)
		}
		if got := (Rules{Backslash: true}).Escape(tt.path, tt.target) != ""; got != tt.outWindows {
			t.Errorf("on Windows, %s -> %s leads out: %v", tt.path, tt.target, got)
		}
	}
}

func TestStrip(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path string
		n    int
		flat bool
		want string
	}{
		{"a/b/c", 0, false, "a/b/c"},
		{"a/b/c", 1, false, "b/c"},
		{"a/b/c", 2, false, "c"},
		{"a/b/c", 9, false, "c"},
		{"c", 1, false, "c"},
		{"a/b/c", 0, true, "c"},
		{"c", 0, true, "c"},
	}
	for _, tt := range tests {
		if got := Strip(tt.path, tt.n, tt.flat); got != tt.want {
			t.Errorf("Strip(%q, %d, %v) = %q, want %q", tt.path, tt.n, tt.flat, got, tt.want)
		}
	}
}

func isUnsafe(err error) bool {
	_, ok := errors.AsType[*archive.UnsafeError](err)
	return ok
}
