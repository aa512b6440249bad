package smallfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/smallfile"
)

const limit = 4 << 10

func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for n, refused := range map[int]bool{0: false, 1: false, limit: false, limit + 1: true, 3 * limit: true} {
		file, content := filepath.Join(dir, "file"), strings.Repeat("x", n)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := smallfile.Read(t.Context(), file, limit)
		large, is := errors.AsType[*smallfile.TooLargeError](err)
		if is != refused || is && (large.Name != file || !strings.Contains(large.Error(), "4 KiB")) || !is && (err != nil || string(got) != content) {
			t.Errorf("%d bytes: %d bytes, %v", n, len(got), err)
		}
	}
	if _, err := smallfile.Read(t.Context(), filepath.Join(dir, "none"), limit); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := smallfile.Read(t.Context(), dir, limit); err == nil {
		t.Error("a directory was read")
	}
}
