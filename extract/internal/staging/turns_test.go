package staging

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"gitlab.com/artifetch/artifetch/internal/filelock"
)

// A commit doesn't wait forever for another one that never ends.
func TestTurnThatNeverEnds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	held, err := filelock.Take(filepath.Join(dir, turnName), os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		_, err := (&Dir{dir: dir}).takeTurn(t.Context())
		if _, is := errors.AsType[*ConflictError](err); !is || time.Since(begin) != turnWait {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
	})
	// A directory in place of the lock doesn't make it fail or wait.
	other := t.TempDir()
	if err := os.Mkdir(filepath.Join(other, turnName), 0o700); err != nil {
		t.Fatal(err)
	}
	if done, err := (&Dir{dir: other}).takeTurn(t.Context()); err != nil {
		t.Error(err)
	} else {
		done()
	}
}
