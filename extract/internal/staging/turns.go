package staging

import (
	"context"
	"path/filepath"
	"time"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
	"gitlab.com/artifetch/artifetch/internal/filelock"
)

// turnName is the file in the output directory that is locked during a commit. It is
// named like a stage, so that no archive can contain it.
const turnName = names.StagePrefix + "commitlockcommit"

// turnWait: a commit takes milliseconds, so it waits for others, but not forever: the
// process of another one may be stopped.
const turnWait = time.Minute

// takeTurn waits until no other run commits into the output directory: the files of two
// archives would mix. It goes without a lock where there can be none.
func (s *Dir) takeTurn(ctx context.Context) (done func(), err error) {
	late := &ConflictError{Path: s.dir, Reason: "another run has been writing files to this directory for a minute"}
	ctx, cancel := context.WithTimeoutCause(ctx, turnWait, late)
	defer cancel()
	return filelock.Turn(ctx, filepath.Join(s.dir, turnName), func() {})
}
