package staging

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
	"gitlab.com/artifetch/artifetch/internal/filelock"
	"gitlab.com/artifetch/artifetch/internal/sleep"
)

// turnName is the file in the output directory that is locked during a commit. It is
// named like a stage, so that no archive can contain it.
const turnName = names.StagePrefix + "commitlockcommit"

// A commit takes milliseconds, so it waits for others, but not forever: the process of
// another one may be stopped.
const (
	turnPause = 20 * time.Millisecond
	turnWait  = time.Minute
)

// takeTurn waits until no other run commits into the output directory: the files of two
// archives would mix. It goes without a lock where there can be none.
func (s *Dir) takeTurn(ctx context.Context) (done func(), err error) {
	path := filepath.Join(s.dir, turnName)
	for waited := time.Duration(0); waited < turnWait; waited += turnPause {
		held, err := filelock.Take(path, os.O_CREATE)
		switch {
		case err == nil && held.Holds(path):
			return func() { held.Remove(path) }, nil
		case err == nil: // the run before has removed it
			held.Release()
			continue
		case !errors.Is(err, filelock.ErrHeld):
			return func() {}, nil
		}
		if err := sleep.For(ctx, turnPause); err != nil {
			return nil, err
		}
	}
	return nil, &ConflictError{Path: s.dir, Reason: "another run has been writing files to this directory for a minute"}
}
