package extract_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"gitlab.com/artifetch/artifetch/extract"
)

// What is planned is read, for a zip and for a tar, for the whole archive and for a part.
// Hooks report files and links by their path.
func TestHooks(t *testing.T) {
	t.Parallel()
	archive := manyFiles(t, 40, 300_000)
	for _, tt := range []struct {
		name  string
		only  []string
		bytes int64 // at least
	}{
		{"all", nil, 40 * 300_000},
		{"some", []string{"0/**", "link"}, 10 * 300_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var planned, read int64
			told := []string{}
			note := func(text string) { mu.Lock(); defer mu.Unlock(); told = append(told, text) }
			stats := extractAll(t, archive, extract.Options{
				Selection: extract.Selection{Include: tt.only},
				Events: extract.Events{
					OnPlan: func(n int64) { mu.Lock(); defer mu.Unlock(); planned += n },
					OnRead: func(n int) { mu.Lock(); defer mu.Unlock(); read += int64(n) },
					OnFile: func(name string, size int64) { note(fmt.Sprintf("%s %d", name, size)) },
					OnLink: func(name, target string) { note(name + " -> " + target) },
				},
			})
			if planned != read || read < tt.bytes || read > tt.bytes+tt.bytes/10 {
				t.Errorf("%d bytes were planned, %d were read, %d are wanted", planned, read, tt.bytes)
			}
			if len(told) != stats.Files+stats.Links || !slices.Contains(told, "link -> 0/0") || !slices.Contains(told, "0/4 300000") {
				t.Errorf("%d files and %d links; told %q", stats.Files, stats.Links, told)
			}
		})
	}
}

// manyFiles creates a zip of n incompressible files in four directories, and a link.
func manyFiles(t *testing.T, n, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	random := rand.NewChaCha8([32]byte{})
	for i := range n {
		f, err := w.Create(fmt.Sprintf("%d/%d", i*4/n, i))
		if err != nil {
			t.Fatal(err)
		}
		content := make([]byte, size)
		_, _ = random.Read(content) // never fails
		if _, err := f.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	h := &zip.FileHeader{Name: "link"}
	h.SetMode(fs.ModeSymlink | 0o777)
	f, err := w.CreateHeader(h)
	if err == nil {
		_, err = f.Write([]byte("0/0"))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func extractAll(t *testing.T, archive []byte, o extract.Options) extract.Stats {
	t.Helper()
	stage, err := extract.NewStage(t.TempDir(), extract.StageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stage.Discard() }() // after Commit there is nothing to discard
	stats, err := stage.Add(t.Context(), extract.FromReaderAt(bytes.NewReader(archive), int64(len(archive))), o)
	if err == nil {
		err = stage.Commit(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return stats
}
