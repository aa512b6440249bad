//go:build linux

package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The archives must be the same on every machine, so that results can be compared.
func TestGenerateIsDeterministic(t *testing.T) {
	t.Parallel()
	for name, a := range archives {
		var first, second bytes.Buffer
		if err := a.generate(&first, 400); err != nil {
			t.Fatal(err)
		}
		if err := a.generate(&second, 400); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%s differs from time to time", name)
		}
		z, err := zip.NewReader(bytes.NewReader(first.Bytes()), int64(first.Len()))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range a.wanted {
			if _, err := z.Open(want); err != nil {
				t.Errorf("%s lacks %s", name, want)
			}
		}
	}
}

func TestServed(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, []byte("206 100 350\n200 5 250\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, requests, err := served(log); n != 105 || requests != 2 || err != nil {
		t.Errorf("served = %d, %d, %v", n, requests, err)
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	got := median([]sample{{wall: 3}, {wall: 1}, {wall: 2}}, func(s sample) time.Duration { return s.wall })
	if got != 2 {
		t.Errorf("median = %d", got)
	}
}
