package staging

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// rescuePrefix starts the names of directories for files that couldn't be restored.
const rescuePrefix = "artifetch-rescued-"

// Rescued is a file that a failed or killed run had moved away.
type Rescued struct {
	Path string // where it belongs, in the output directory
	At   string // where it is now, in the output directory; equals Path if it was restored
}

// RescueError reports files that couldn't be restored after a commit failed. They
// are kept elsewhere.
type RescueError struct {
	Dir  string    // the output directory
	Kept []Rescued // the files
	Err  error     // why the commit failed, and why they couldn't be restored
}

// maxKeptNamed is how many files an error names.
const maxKeptNamed = 3

// Error implements error.
func (e *RescueError) Error() string {
	var named []string
	for _, k := range e.Kept[:min(len(e.Kept), maxKeptNamed)] {
		named = append(named, fmt.Sprintf("%q is now %q", filepath.Join(e.Dir, k.Path), filepath.Join(e.Dir, k.At)))
	}
	text := strings.Join(named, ", ")
	if more := len(e.Kept) - len(named); more > 0 {
		text += fmt.Sprintf(", and %d more next to it", more)
	}
	return fmt.Sprintf("%v; cannot restore all files: %s", e.Err, text)
}

// Unwrap returns why the commit failed.
func (e *RescueError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (*RescueError) Hint() string {
	return "move these files back by hand before you run artifetch there again"
}

// giveUp undoes all moves, and keeps the files that it cannot restore.
func (j *journal) giveUp(why error) error {
	j.close()
	stuck, err := j.undo()
	if err != nil {
		why = errors.Join(why, err)
	}
	if len(stuck) == 0 {
		return why
	}
	return &RescueError{j.stage.dir, j.stage.rescue(stuck), why}
}

// undo undoes the moves, last first. It returns those whose files it couldn't
// restore.
func (j *journal) undo() (stuck []made, err error) {
	var errs []error
	for i := len(j.done) - 1; i >= 0; i-- {
		m := j.done[i]
		err := j.takeBack(m)
		if err == nil {
			continue
		}
		errs = append(errs, fmt.Errorf("restoring %q: %w", m.path, err))
		if m.was != "" {
			stuck = append(stuck, m)
		}
	}
	return stuck, errors.Join(errs...)
}

// errTaken reports a path where another process has put a file of its own.
var errTaken = errors.New("another process has created a file there")

// takeBack undoes one move. It never removes a file that another process has put
// there in the meantime.
func (j *journal) takeBack(m made) error {
	out := j.stage.out
	there, err := out.Lstat(m.path)
	switch empty := isMissing(err); {
	case empty && m.was == "":
		return nil // another process has removed it
	case empty:
		return out.renameNew(m.was, m.path)
	case err != nil:
		return err
	case !m.now.isThatOf(there):
		if m.was == "" {
			return nil
		}
		return errTaken
	case m.was == "":
		return out.renameNew(m.path, j.staged(m.path))
	}
	return out.Rename(m.was, m.path)
}

// rescue moves files that couldn't be restored out of the stage, and returns where
// they are. If that fails too, they stay in the stage, which it renames so that the
// next run doesn't remove it.
func (s *Dir) rescue(stuck []made) []Rescued {
	kept, gathered := make([]Rescued, len(stuck)), true
	to := haven{out: s.out}
	for i, m := range stuck {
		at, err := to.take(m.was, m.path)
		if err != nil {
			at, gathered = m.was, false
		}
		kept[i] = Rescued{m.path, at}
	}
	if gathered {
		return kept
	}
	from, name := s.name, newName(rescuePrefix)
	s.abandon()
	if s.out.Rename(from, name) == nil {
		for i := range kept {
			if in, ok := strings.CutPrefix(kept[i].At, from+"/"); ok {
				kept[i].At = name + "/" + in
			}
		}
	}
	return kept
}

// abandon makes Discard leave the stage where it is.
func (s *Dir) abandon() {
	s.closeDirs() // Windows can't rename a directory with open files
	s.lock.Release()
	s.lock, s.name = nil, ""
}

// haven is a new directory for files that can't be restored, under their own paths.
// It is created when it is first needed.
type haven struct {
	out  root
	name string // empty until it exists
}

// take moves a file there, and returns its new path.
func (h *haven) take(from, path string) (at string, err error) {
	if h.name == "" {
		name := newName(rescuePrefix)
		if err := h.out.Mkdir(name, 0o700); err != nil {
			return "", err
		}
		h.name = name
	}
	at = h.name + "/" + path
	if err := h.out.MkdirAll(names.Parent(at), 0o700); err != nil {
		return "", err
	}
	return at, h.out.Rename(from, at)
}
