// Package filelock locks files between processes. The system unlocks them if their holder
// is killed.
package filelock

import (
	"context"
	"errors"
	"os"
	"time"

	"gitlab.com/artifetch/artifetch/internal/sleep"
)

// ErrHeld reports a lock that another run holds.
var ErrHeld = errors.New("another run holds it")

// pause is how long a turn waits before it tries again.
const pause = 20 * time.Millisecond

// Turn waits until no other run holds the lock file at path, and takes it until done is
// called. waiting is called once if it must wait. The only error is why ctx has ended: if
// the file system has no locks, Turn doesn't wait.
func Turn(ctx context.Context, path string, waiting func()) (done func(), err error) {
	held, err := wait(ctx, path, waiting, Take)
	switch {
	case err == nil:
		return func() { held.Remove(path) }, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	return func() {}, nil
}

// wait creates and locks the file at path. It waits as long as another run holds it, or
// until ctx ends; waiting is called once before that. The caller ends it by [Lock.Remove].
// If the file system has no locks, the file doesn't stay. take is [Take].
func wait(ctx context.Context, path string, waiting func(), take func(path string, create int) (*Lock, error)) (*Lock, error) {
	for told := false; ; {
		held, err := take(path, os.O_CREATE)
		switch {
		case err == nil && held.Holds(path):
			return held, nil
		case err == nil: // the run before has removed it
			held.Release()
			continue
		case errors.Is(err, errors.ErrUnsupported):
			_ = os.Remove(path) // useless, because it can't be locked
			return nil, err
		case !errors.Is(err, ErrHeld):
			return nil, err
		case !told:
			told = true
			waiting()
		}
		if err := sleep.For(ctx, pause); err != nil {
			return nil, err
		}
	}
}
