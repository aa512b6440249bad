package retrieve

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/space"
)

// An archive from a pipe may use half of the free space, and no more than that is written.
func TestEndlessInput(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		content string
		fits    bool
	}{{strings.Repeat("x", 50), true}, {strings.Repeat("x", 51), false}, {strings.Repeat("x", 1<<20), false}} {
		dir, in := t.TempDir(), strings.NewReader(tt.content)
		spool, err := seekable(nil, in, dir, 100)
		if err == nil {
			err = spool.Close()
		}
		full, is := errors.AsType[*space.Error](err)
		if tt.fits != (err == nil) || !tt.fits && (!is || full.Dir != dir || full.Free != 100) {
			t.Errorf("%d bytes: %v", len(tt.content), err)
		}
		if read := len(tt.content) - in.Len(); read > 51 {
			t.Errorf("%d bytes were read", read)
		}
	}
	// A regular file is read in place.
	f, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if got, err := seekable(f, io.MultiReader(), "", 0); got != f || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

// The user doesn't know the stage, which is gone by the time of the error.
func TestFullDiskOfStage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stage, err := extract.NewStage(dir, extract.StageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stage.Discard() }()
	for from, want := range map[string]string{
		stage.Path(): "no space left on the disk of " + dir + ": 2 bytes are needed, 1 are free",
		os.TempDir(): "x: no space left on the disk of " + os.TempDir() + ": 2 bytes are needed, 1 are free",
	} {
		if err := inOutput(stage, fmt.Errorf("x: %w", &space.Error{Dir: from, Need: 2, Free: 1})); err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := inOutput(stage, nil); err != nil {
		t.Error(err)
	}
}
