package complete

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestKept(t *testing.T) {
	t.Parallel()
	dir, asked := filepath.Join(t.TempDir(), "new"), 0
	find := func() []Word { asked++; return []Word{{"a", "b"}} }
	check := func(name, key string, want int) {
		t.Helper()
		if words := Kept(dir, key, find); len(words) != 1 || words[0] != (Word{"a", "b"}) || asked != want {
			t.Errorf("%s: %v after %d questions, want %d", name, words, asked, want)
		}
	}
	check("the first time", "key", 1)
	check("again", "key", 1)
	check("something else", "other", 2)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory: %v, %v", info, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 != 0 || strings.Contains(e.Name(), "key") {
			t.Errorf("%v, %v", info, err)
		}
		old := time.Now().Add(-time.Minute)
		if err := os.Chtimes(filepath.Join(dir, e.Name()), old, old); err != nil {
			t.Fatal(err)
		}
	}
	check("a minute later", "key", 3)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("what is old is still there: %v, %v", entries, err)
	}
	dir = filepath.Join(dir, entries[0].Name(), "no directory")
	check("where nothing can be written", "key", 4)
	check("where nothing can be written", "key", 5)
	if dir = t.TempDir(); len(Kept(dir, "key", func() []Word { return nil })) != 0 {
		t.Error("nothing is something")
	}
	check("nothing isn't kept", "key", 6)
}
