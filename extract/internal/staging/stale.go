package staging

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
	"gitlab.com/artifetch/artifetch/internal/filelock"
)

// lockName is the file in a stage that is locked while its owner lives.
const lockName = "lock"

// graceTime is how long a stage without a lock file is left alone: its owner may be
// about to create it.
const graceTime = 10 * time.Minute

// Sweep removes the stages of killed runs from an output directory, and restores
// files that they had moved away, as every [New] does.
func Sweep(dir string, onRescue func(Rescued)) error {
	out, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	removeStale(root{out, nil}, onRescue)
	return out.Close()
}

// removeStale removes the stages of dead runs: those whose lock isn't held. It ignores
// errors: the user didn't ask for this, and the next run tries again.
func removeStale(out root, tell func(Rescued)) {
	entries, err := out.readDir(".")
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.Name() == turnName {
			if held, err := filelock.Take(filepath.Join(out.Name(), turnName), 0); err == nil {
				held.Remove(filepath.Join(out.Name(), turnName)) // of a run that was killed while it committed
			}
			continue
		}
		if !e.IsDir() || !names.IsStage(e.Name()) {
			continue
		}
		held, dead := lockStale(out, e.Name())
		switch {
		case !dead:
		case recoverStage(out, e.Name(), tell) != nil:
			held.Release() // it still holds files that must be kept
		default:
			_ = removeLocked(out, e.Name(), held) // the next run tries again
		}
	}
}

// lockStale reports whether the owner of a stage is dead. The caller holds the lock until
// the stage is gone, so that an owner that is about to lock it notices.
func lockStale(out root, name string) (*filelock.Lock, bool) {
	path := filepath.Join(out.Name(), name, lockName)
	held, err := filelock.Take(path, 0) // our own lock file would keep the owner from removing the stage
	if errors.Is(err, fs.ErrNotExist) {
		// Its owner is about to lock it, and makes another one if it is gone; or it was
		// killed while it removed the stage.
		if out.Remove(name) == nil {
			return nil, false
		}
		info, err := out.Lstat(name)
		return nil, err == nil && time.Since(info.ModTime()) > graceTime
	}
	return held, err == nil
}

// removeLocked removes a stage, and its lock last: if it is interrupted, the next run
// sees that the owner is dead. Windows can't remove an open file.
func removeLocked(out root, name string, held *filelock.Lock) error {
	entries, err := out.readDir(name)
	for _, e := range entries {
		if e.Name() != lockName {
			err = cmp.Or(err, out.RemoveAll(name+"/"+e.Name()))
		}
	}
	err = cmp.Or(err, out.RemoveAll(name))
	held.Release()
	if err != nil {
		err = out.RemoveAll(name)
	}
	return err
}
