package staging

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A link that leads nowhere in the place of the output directory has its own words; what
// is a file stays an error of the file system.
func TestOutputIsBrokenLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	err := errors.Join(
		os.Symlink("nowhere", filepath.Join(dir, "dangling")), os.Symlink("circle", filepath.Join(dir, "circle")),
		os.WriteFile(filepath.Join(dir, "file"), nil, 0o600), os.Symlink("file", filepath.Join(dir, "linked")),
	)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"dangling": `dangling": it is a link to "nowhere", which doesn't exist`, "dangling/below": `dangling": it is a link to "nowhere", which doesn't exist`,
		"circle": `circle": its links lead in a circle`, "circle/below/that": `circle": its links lead in a circle`,
		"file": "", "linked": "", "linked/below": "",
	} {
		_, err := New(filepath.Join(dir, name), Options{}, nil)
		conflict, ok := errors.AsType[*ConflictError](err)
		if err == nil || ok != (want != "") || ok && !strings.HasSuffix(conflict.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 4 {
		t.Errorf("left: %v, %v", left, err)
	}
}
