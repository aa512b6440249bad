package staging

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Discard removes the stage, and the directories that were made for it if nothing was
// committed. After that, or after a successful commit, it does nothing: it is meant to
// be deferred.
func (s *Dir) Discard() error {
	if s.closed {
		return nil
	}
	err := s.remove()
	if !s.committed {
		s.removeMade()
	}
	return err
}

// remove removes the stage and closes everything.
func (s *Dir) remove() error {
	s.closeDirs()
	var err error
	if s.name != "" {
		if err = removeLocked(s.out, s.name, s.lock); err != nil {
			s.opts.OnLeftover(s.Path(), err)
			err = fmt.Errorf("removing the staging directory: %w", err)
		}
	}
	_ = s.out.Close() // opened only to reach files
	s.closed, s.lock = true, nil
	return err
}

// closeDirs closes the directories that are open in the stage.
func (s *Dir) closeDirs() {
	if s.tree != nil {
		s.tree.close()
	}
	for _, r := range []root{s.fresh, s.extra} {
		if r.Root != nil {
			_ = r.Close()
		}
	}
	s.fresh, s.extra = root{}, root{}
}

// removeMade removes the directories that were made for the output, if they are
// empty.
func (s *Dir) removeMade() {
	if s.made == "" {
		return
	}
	for dir := filepath.Clean(s.dir); len(dir) >= len(filepath.Clean(s.made)); dir = filepath.Dir(dir) {
		if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return // another process has put something there in the meantime
		}
	}
}
