package extract

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// rescuePrefix begins the names of directories for files that could not be put back.
const rescuePrefix = "artifetch-rescued-"

// Rescued is a file that a run moved out of its place, and another could not put
// there, or could only put back later.
type Rescued struct {
	Path string // its place in the output directory
	At   string // where it is now, in the output directory; the same if it is back
}

// RescueError reports files that could not be put back after a failure. None of
// them is lost.
type RescueError struct {
	Dir  string    // the output directory
	Kept []Rescued // what was there before
	Err  error     // what failed in the first place, and why these are not back
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
		text += fmt.Sprintf(", and %d more are beside it", more)
	}
	return fmt.Sprintf("%v; some files could not be put back: %s", e.Err, text)
}

// Unwrap gives what failed.
func (e *RescueError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (*RescueError) Hint() string {
	return "nothing is lost: move these files back by hand, before artifetch runs there again"
}

// giveUp takes all moves back. What cannot be put back is kept for the user.
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

// undo takes the moves back, last first. It returns those whose originals are not
// back.
func (j *journal) undo() (stuck []made, err error) {
	var errs []error
	for i := len(j.done) - 1; i >= 0; i-- {
		m := j.done[i]
		err := j.takeBack(m)
		if err == nil {
			continue
		}
		errs = append(errs, fmt.Errorf("taking %q back: %w", m.path, err))
		if m.was != "" {
			stuck = append(stuck, m)
		}
	}
	return stuck, errors.Join(errs...)
}

// errTaken reports a place that somebody else has put something into meanwhile.
var errTaken = errors.New("something else has come into its place")

// takeBack takes one move back. What somebody else has put into the place
// meanwhile stays there.
func (j *journal) takeBack(m made) error {
	out := j.stage.out
	there, err := out.Lstat(m.path)
	switch empty := isMissing(err); {
	case empty && m.was == "":
		return nil // somebody else has removed it
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

// rescue takes files out of the stage that could not be put back, and says where
// they are. If not even that is possible, they stay in the stage, which nobody
// removes if it can have another name.
func (s *Stage) rescue(stuck []made) []Rescued {
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

// abandon leaves the stage where it is, also when it is discarded.
func (s *Stage) abandon() {
	s.closeWays() // Windows renames no directory with open files
	s.lock.release()
	s.lock, s.name = nil, ""
}

// haven is a new directory for files that cannot be put back, under their own names.
type haven struct {
	out  root
	name string // empty until it is there
}

// take moves a file there, and says where it is.
func (h *haven) take(from, path string) (at string, err error) {
	if h.name == "" {
		name := newName(rescuePrefix)
		if err := h.out.Mkdir(name, 0o700); err != nil {
			return "", err
		}
		h.name = name
	}
	at = h.name + "/" + path
	if err := h.out.MkdirAll(parent(at), 0o700); err != nil {
		return "", err
	}
	return at, h.out.Rename(from, at)
}
