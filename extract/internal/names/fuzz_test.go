package names

import (
	"errors"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// FuzzCleanName: an accepted name stays inside the directory on every platform, and
// cleaning it again doesn't change it.
func FuzzCleanName(f *testing.F) {
	for _, name := range []string{"a", "a/b", "./a", "a//b/", "..", "a/../b", "/a", `\a`, `C:\a`, "C:a", `a\..\b`, `./\`, "./C:a", "a\x00", ".git/x", ".GIT. ", "git~1/x", "a:b", "\xff", "测/试", "..a", "a.b/c_d-e+f", "a./b", "a/.b", "a/", "/", strings.Repeat("a", 256), strings.Repeat("a/", 300)} {
		f.Add(name, "x", true)
		f.Add("dir/link", name, false)
	}
	f.Fuzz(func(t *testing.T, name, target string, backslash bool) {
		r := Rules{Backslash: backslash}
		clean, err := r.Clean(name, false)
		if slow, slowErr := cleanOther(name, false); slow != clean || (slowErr == nil) != (err == nil) {
			t.Fatalf("cleanName(%q) = %q, %v; a closer look says %q, %v", name, clean, err, slow, slowErr)
		}
		if err != nil {
			if !errors.As(err, new(*archive.UnsafeError)) {
				t.Fatalf("error of another type: %v", err)
			}
			return
		}
		if backslash && r.Unfit(clean) == "" && strings.ContainsAny(clean, `\:`) {
			t.Fatalf("Windows reads %q in its own way", clean)
		}
		if clean != "" && (!filepath.IsLocal(clean) || path.Clean(clean) != clean || strings.HasPrefix(clean, "/")) {
			t.Fatalf("cleanName(%q) = %q, which is not local", name, clean)
		}
		if clean != "" {
			if again, err := r.Clean(clean, false); err != nil || again != clean {
				t.Fatalf("cleanName(%q) = %q, %v", clean, again, err)
			}
			if CheckTarget(name, target) == nil && r.Escape(clean, target) == "" && !filepath.IsLocal(path.Join(path.Dir(clean), target)) {
				t.Fatalf("a link at %q may point to %q", clean, target)
			}
		}
	})
}
