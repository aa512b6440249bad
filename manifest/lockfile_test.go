package manifest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/manifest"
)

// locked is a lock file with so many files, named like those of a build.
func locked(t testing.TB, files int) (name string, size int) {
	t.Helper()
	entry := manifest.Locked{
		Name: "app", Asked: `{"job":"build","project":"group/app","ref":"main"}`, Project: "group/app", Ref: "main", PipelineID: 1, JobID: 2, Job: "build",
		SHA256: strings.Repeat("a", 64), ResolvedAt: time.Unix(1_700_000_000, 0), ResolvedBy: "listing",
	}
	for i := range files {
		path := fmt.Sprintf("dist/assets/%02d/module-%05d.min.js", i%100, i)
		entry.Files = append(entry.Files, manifest.LockFile{Path: "vendor/app/" + path, Name: path, Mode: "0644", Size: int64(1000 + i), SHA256: fmt.Sprintf("%064x", i)})
	}
	text, err := manifest.Lock{Sources: []manifest.Locked{entry}}.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	name = filepath.Join(t.TempDir(), "artifetch.lock")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name, len(text)
}

// A file costs one line, as long as its names and its digest and not much longer. What is
// read is written again byte by byte.
func TestLockFileOfManyFiles(t *testing.T) {
	t.Parallel()
	const files, overhead = 5000, 135 // bytes of a line besides its two names: 64 are the digest
	_, without := locked(t, 0)
	name, size := locked(t, files)
	names := len("vendor/app/") + 2*len("dist/assets/00/module-00000.min.js")
	if perFile := (size - without) / files; perFile > names+overhead {
		t.Errorf("%d bytes for each file, of which its names are %d", perFile, names)
	}
	before, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(before), "\n"); lines > files+30 {
		t.Errorf("%d lines", lines)
	}
	l, err := manifest.ReadLock(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if after, err := l.Bytes(); err != nil || string(after) != string(before) {
		t.Errorf("%v: %d bytes are %d when they are written again", err, len(before), len(after))
	}
}

// A conflict that a merge has left is an error with a remedy, with either style of marks.
func TestLockFileInConflict(t *testing.T) {
	t.Parallel()
	name, _ := locked(t, 3)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	for _, base := range []string{"", "||||||| 1234567\n" + lines[7]} {
		merged := strings.Join(lines[:7], "") + "<<<<<<< HEAD\n" + lines[7] + base + "=======\n" + lines[7] + ">>>>>>> other\n" + strings.Join(lines[8:], "")
		for _, text := range []string{merged, strings.ReplaceAll(merged, "\n", "\r\n")} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := manifest.ReadLock(t.Context(), name)
			if err == nil || !strings.HasSuffix(err.Error(), ":8:1: it has a merge conflict") || !strings.Contains(hint(err), "git checkout") {
				t.Errorf("%v", err)
			}
		}
	}
}

// go test ./manifest -run '^$' -bench Lock
func BenchmarkReadLock(b *testing.B) {
	name, size := locked(b, 5000)
	b.SetBytes(int64(size))
	for b.Loop() {
		if _, err := manifest.ReadLock(b.Context(), name); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(size), "bytes")
}

// go test ./manifest -run '^$' -bench Lock
func BenchmarkWriteLock(b *testing.B) {
	name, _ := locked(b, 5000)
	l, err := manifest.ReadLock(b.Context(), name)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := l.Bytes(); err != nil {
			b.Fatal(err)
		}
	}
}
