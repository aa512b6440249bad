package staging

import (
	"errors"
	"io/fs"
	"strconv"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// replace replaces a file and keeps the old one.
func (j *journal) replace(path string, fresh identity) error {
	second := strconv.Itoa(j.seconds)
	err := j.link(names.Base(path), second)
	switch {
	case err == nil:
		j.seconds++
		if err := j.place(names.Base(path)); err != nil {
			return err
		}
		j.note(path, j.stage.name+"/"+secondDir+"/"+second, fresh)
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return err
	}
	// No hard links here, or not to this file: Linux refuses them for files of other
	// users (protected_hardlinks).
	if err := j.swap(path, fresh); !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return j.moveAway(path, fresh)
}

// swap exchanges a file and the staged one. The call exchanges anything, so it
// checks afterwards that it got a file: another process may have put a directory
// there.
func (j *journal) swap(path string, fresh identity) error {
	if err := j.exchange(names.Base(path)); err != nil {
		return err
	}
	j.note(path, j.staged(path), fresh)
	came, err := j.stage.fresh.Lstat(path)
	if err != nil || came.Mode().Type()&^fs.ModeSymlink == 0 {
		return err
	}
	if err := j.exchange(names.Base(path)); err != nil {
		return err
	}
	j.done = j.done[:len(j.done)-1]
	return errChanged
}

// moveAway moves a file to originals/ and puts the staged one in its place.
func (j *journal) moveAway(path string, fresh identity) error {
	out, away := j.stage.out, j.stage.name+"/"+originalsDir+"/"+path
	if err := out.MkdirAll(names.Parent(away), 0o700); err != nil {
		return err
	}
	if err := out.renameNew(path, away); err != nil {
		return err
	}
	j.note(path, away, identity{})
	if err := j.place(names.Base(path)); err != nil {
		return err
	}
	j.done[len(j.done)-1].now = fresh
	return nil
}

// add moves a new file or directory into place. The error is an [fs.ErrExist] if
// the path exists by now.
func (j *journal) add(path string) error {
	if err := j.before("rename", names.Base(path)); err != nil {
		return err
	}
	err := renameNew(j.from, j.to, names.Base(path), names.Base(path))
	if errors.Is(err, errors.ErrUnsupported) {
		err = j.stage.out.renameUnless(j.staged(path), path)
	}
	return err
}
