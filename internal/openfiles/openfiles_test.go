package openfiles_test

import (
	"fmt"
	"io/fs"
	"math"
	"syscall"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/openfiles"
)

func TestShare(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]int{0: 2, 20: 2, 32: 3, 64: 11, 256: 16, 1024: 16, math.MaxInt: 16} {
		if got := openfiles.Share(limit, 4, 2, 16); got != want {
			t.Errorf("of %d files it may have %d, want %d", limit, got, want)
		}
	}
	if n := openfiles.Limit(); n < 20 {
		t.Errorf("a test may open %d files", n)
	}
}

func TestExhausted(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		fmt.Errorf("x: %w", &fs.PathError{Err: syscall.EMFILE}): true, syscall.ENFILE: true, syscall.ENOSPC: false, nil: false,
	} {
		if openfiles.Exhausted(err) != want {
			t.Errorf("%v: %v", err, !want)
		}
	}
}
