package extract

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzCleanName: what is let through stays inside, on every platform, and
// cleaning is done once and for all.
func FuzzCleanName(f *testing.F) {
	for _, name := range []string{"a", "a/b", "./a", "a//b/", "..", "a/../b", "/a", `\a`, `C:\a`, "C:a", `a\..\b`, `./\`, "./C:a", "a\x00", ".git/x", ".GIT. ", "git~1/x", "a:b", "\xff", "测/试", "..a", "a.b/c_d-e+f", "a./b", "a/.b", "a/", "/", strings.Repeat("a", 256), strings.Repeat("a/", 300)} {
		f.Add(name, "x", true)
		f.Add("dir/link", name, false)
	}
	f.Fuzz(func(t *testing.T, name, target string, backslash bool) {
		r := rules{backslash: backslash}
		clean, err := r.cleanName(name, false)
		if slow, slowErr := cleanOther(name, false); slow != clean || (slowErr == nil) != (err == nil) {
			t.Fatalf("cleanName(%q) = %q, %v; a closer look says %q, %v", name, clean, err, slow, slowErr)
		}
		if err != nil {
			if !is[*UnsafeError](err) {
				t.Fatalf("error of another type: %v", err)
			}
			return
		}
		if backslash && r.unfit(clean) == "" && strings.ContainsAny(clean, `\:`) {
			t.Fatalf("Windows reads %q in its own way", clean)
		}
		if clean != "" && (!filepath.IsLocal(clean) || path.Clean(clean) != clean || strings.HasPrefix(clean, "/")) {
			t.Fatalf("cleanName(%q) = %q, which is not local", name, clean)
		}
		if clean != "" {
			if again, err := r.cleanName(clean, false); err != nil || again != clean {
				t.Fatalf("cleanName(%q) = %q, %v", clean, again, err)
			}
			if checkTarget(name, target) == nil && r.leads(clean, target) == "" && !filepath.IsLocal(path.Join(path.Dir(clean), target)) {
				t.Fatalf("a link at %q may point to %q", clean, target)
			}
		}
	})
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func seeds(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("../testdata/samples/*.zip")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(b) < 20<<10 {
			f.Add(b)
		}
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range []string{"a.txt", "d/", "d/b.txt"} {
		e, err := w.Create(name)
		if err != nil {
			f.Fatal(err)
		}
		if !strings.HasSuffix(name, "/") {
			if _, err := e.Write([]byte("content content content")); err != nil {
				f.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	zip64, err := os.ReadFile("testdata/zip64.zip") // two end records that agree
	if err != nil {
		f.Fatal(err)
	}
	f.Add(zip64)
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Add([]byte{})
}
