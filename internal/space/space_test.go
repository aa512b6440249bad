package space_test

import (
	"errors"
	"math"
	"syscall"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/space"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := space.Check(dir, 1); err != nil {
		t.Errorf("one byte: %v", err)
	}
	if err := space.Check(dir, math.MaxInt64); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("8 EiB: %v", err)
	}
	if err := space.Check(dir+"/none", math.MaxInt64); err != nil {
		t.Errorf("a directory that is not there: %v", err)
	}
}
