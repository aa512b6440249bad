package pin

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"

	"gitlab.com/artifetch/artifetch/internal/filelock"
	"gitlab.com/artifetch/artifetch/internal/smallfile"
	"gitlab.com/artifetch/artifetch/manifest"
)

// turnName is the file in the manifest's directory that is locked while a run changes the
// manifest or the lock file. It is named like a stage, so that no archive can contain it.
const turnName = ".artifetch-synclocksynclock"

// Turn waits until no other run changes what is in a manifest's directory: each reads the
// manifest and the lock file, and replaces them at its end. waiting is called once if it
// must wait. The system ends the turn of a killed run. If the file system has no locks,
// Turn doesn't wait. The caller must call done.
func Turn(ctx context.Context, manifestFile string, waiting func()) (done func(), err error) {
	return filelock.Turn(ctx, filepath.Join(filepath.Dir(manifestFile), turnName), waiting)
}

// StaleError reports a manifest that has changed since it was read, for example in an
// editor. Writing it would lose that change.
type StaleError struct{ File string }

// Error implements error.
func (e *StaleError) Error() string {
	return fmt.Sprintf("%s has changed since this run read it", e.File)
}

// Hint says what to do next.
func (*StaleError) Hint() string { return "nothing was written: run the same command again" }

// checkCurrent returns a [*StaleError] if an edited manifest isn't the one that was read.
func (w Workspace) checkCurrent(ctx context.Context) error {
	if !w.edited {
		return nil
	}
	now, err := smallfile.Read(ctx, w.File, manifest.MaxSize)
	if err == nil && !bytes.Equal(now, w.asRead) {
		err = &StaleError{w.File}
	}
	return err
}
