package extract

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
)

// move is one step of a commit.
type move struct {
	path    string // in the output directory, and below new/
	replace bool   // something is there
}

// Commit puts what was staged into the output directory. It compares all before
// it moves anything; if a move fails, or ctx ends, all that were made are taken
// back. The stage is removed in either case.
func (s *Stage) Commit(ctx context.Context) error {
	moves, err := s.planMoves("")
	if err != nil {
		return err
	}
	j := journal{stage: s}
	for _, m := range moves {
		if err = context.Cause(ctx); err == nil {
			err = j.do(m)
		}
		if err != nil {
			return errors.Join(err, j.undo())
		}
	}
	s.done = true
	return s.remove()
}

// planMoves compares a directory of the stage with the one it goes into. What is
// new goes as a whole, by one rename.
func (s *Stage) planMoves(dir string) ([]move, error) {
	at := dir
	if at == "" {
		at = "."
	}
	staged, err := fs.ReadDir(s.fresh.FS(), at)
	if err != nil {
		return nil, err
	}
	var moves []move
	for _, e := range staged {
		path := join(dir, e.Name())
		there, err := s.out.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			moves = append(moves, move{path, false})
		case err != nil:
			return nil, err
		case e.IsDir() && there.IsDir():
			below, err := s.planMoves(path)
			if err != nil {
				return nil, err
			}
			moves = append(moves, below...)
		default:
			if err := mayReplace(path, e, there); err != nil {
				return nil, err
			}
			moves = append(moves, move{path, true})
		}
	}
	return moves, nil
}

// mayReplace allows files and links to take the place of files and links.
func mayReplace(path string, e fs.DirEntry, there fs.FileInfo) error {
	switch {
	case e.IsDir() && there.Mode()&fs.ModeSymlink != 0:
		return &ConflictError{path, "a link is where a directory has to be; it is not followed"}
	case e.IsDir():
		return &ConflictError{path, "a file is where a directory has to be"}
	case there.IsDir():
		return &ConflictError{path, "a directory is where a file has to be"}
	case there.Mode().Type()&^fs.ModeSymlink != 0:
		return &ConflictError{path, "a device, pipe or socket is there"}
	}
	return nil
}

// journal remembers the moves that were made, to take them back.
type journal struct {
	stage *Stage
	done  []move
}

func (j *journal) staged(path string) string { return j.stage.name + "/new/" + path }
func (j *journal) backup(i int) string       { return j.stage.name + "/old/" + strconv.Itoa(i) }

// do makes one move. What is there gets a second name first, so that there is no
// moment without a file; on file systems without hard links there is a short
// one.
func (j *journal) do(m move) error {
	out := j.stage.out
	if m.replace {
		old := j.backup(len(j.done))
		if err := out.Link(m.path, old); err != nil {
			if err := out.Rename(m.path, old); err != nil {
				return err
			}
		}
	}
	j.done = append(j.done, m)
	if err := out.Rename(j.staged(m.path), m.path); err != nil {
		return fmt.Errorf("putting %q into place: %w", m.path, err)
	}
	return nil
}

// undo takes the moves back, last first. The last one may have been made in
// part.
func (j *journal) undo() error {
	var errs []error
	out := j.stage.out
	for i := len(j.done) - 1; i >= 0; i-- {
		m := j.done[i]
		var err error
		if m.replace {
			err = out.Rename(j.backup(i), m.path)
		} else if err = out.Rename(m.path, j.staged(m.path)); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("taking %q back: %w", m.path, err))
		}
	}
	return errors.Join(errs...)
}
