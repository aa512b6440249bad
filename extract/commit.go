package extract

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// move is one step of a commit.
type move struct {
	path    string // in the output directory, and below new/
	replace bool   // something is there
}

// rescuePrefix begins the names of stages that hold what could not be put back.
const rescuePrefix = "artifetch-rescued-"

// Commit puts what was staged into the output directory. It compares all before
// it moves anything; if a move fails, or ctx ends, all that were made are taken
// back. If not even that is possible, what was there before is kept in a
// directory that the error names.
func (s *Stage) Commit(ctx context.Context) error {
	if err := s.ready(); err != nil {
		return err
	}
	if err := s.finish(ctx); err != nil {
		s.spoil()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return err
	}
	moves, err := s.planMoves("")
	if err != nil {
		return err
	}
	j := journal{stage: s}
	defer j.closeWay()
	if err := j.all(ctx, moves); err != nil {
		s.spoiled = true // the way back is not one that can be gone twice
		return j.giveUp(err)
	}
	j.closeWay()
	s.done = true
	_ = s.remove() // all is in place; what is left of the stage goes with the next run
	return nil
}

// planMoves compares a directory of the stage with the one it goes into. What is
// new goes as a whole, by one rename.
func (s *Stage) planMoves(dir string) ([]move, error) {
	at := dir
	if at == "" {
		at = "."
	}
	staged, err := s.fresh.readDir(at)
	if err != nil {
		return nil, err
	}
	var moves []move
	for _, e := range staged {
		more, err := s.planMove(join(dir, e.Name()), e)
		if err != nil {
			return nil, err
		}
		moves = append(moves, more...)
	}
	return moves, nil
}

func (s *Stage) planMove(path string, e fs.DirEntry) ([]move, error) {
	there, err := s.out.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []move{{path, false}}, nil
	case err != nil:
		return nil, err
	case e.IsDir() && there.IsDir():
		return s.planMoves(path)
	}
	if err := mayReplace(path, e, there); err != nil {
		return nil, err
	}
	switch s.opts.OnConflict {
	case SkipExisting:
		s.opts.OnSkip(path, "it is there already")
		return nil, nil
	case FailIfExists:
		return nil, &ConflictError{path, "it is there already"}
	}
	return []move{{path, true}}, nil
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

	at       string // the directory that moves were made in last
	from, to *os.File
}

func (j *journal) staged(path string) string { return j.stage.name + "/new/" + path }
func (j *journal) backup(i int) string       { return j.stage.name + "/old/" + strconv.Itoa(i) }

// maxReplans is how often a plan may be made anew because somebody else, such as
// another run, puts things into the same places.
const maxReplans = 1000

// all makes the moves, or as many as it can. Where something has come or gone since
// they were planned, it plans anew: two runs may make one directory.
func (j *journal) all(ctx context.Context, moves []move) error {
	for replans := 0; len(moves) > 0; {
		m := moves[0]
		moves = moves[1:]
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		err := j.do(m)
		changed := !m.replace && errors.Is(err, fs.ErrExist) || m.replace && errors.Is(err, fs.ErrNotExist)
		if changed && replans < maxReplans {
			replans++
			var again []move
			if again, err = j.stage.planAgain(m.path); err == nil {
				moves = slices.Concat(again, moves)
				continue
			}
		}
		if err != nil {
			return fmt.Errorf("putting %q into place: %w", m.path, err)
		}
		j.done = append(j.done, m)
	}
	return nil
}

// planAgain plans one move anew.
func (s *Stage) planAgain(path string) ([]move, error) {
	staged, err := s.fresh.Lstat(path)
	if err != nil {
		return nil, err
	}
	return s.planMove(path, fs.FileInfoToDirEntry(staged))
}

// do makes one move, or nothing.
func (j *journal) do(m move) error {
	if m.replace {
		return j.replace(m.path)
	}
	return j.add(m.path)
}

// replace gives what is there a second name first, so that there is no moment
// without a file; on file systems without hard links there is a short one.
func (j *journal) replace(path string) error {
	out, old := j.stage.out, j.backup(len(j.done))
	if err := out.Link(path, old); err != nil {
		if err := out.Rename(path, old); err != nil {
			return err
		}
	}
	err := out.Rename(j.staged(path), path)
	if err != nil {
		// A rename of two names of one file does nothing; the second name goes with
		// the stage.
		err = errors.Join(err, out.Rename(old, path))
	}
	return err
}

// add puts what is new into place. The error is an [fs.ErrExist] if something has
// come there meanwhile.
func (j *journal) add(path string) error {
	if err := j.reach(parent(path)); err != nil {
		return err
	}
	if err := j.stage.calls.before("rename", path); err != nil {
		return err
	}
	err := renameNew(j.from, j.to, base(path))
	if errors.Is(err, errors.ErrUnsupported) {
		if _, err = j.stage.out.Lstat(path); err == nil {
			err = fs.ErrExist
		} else if errors.Is(err, fs.ErrNotExist) {
			err = j.stage.out.Rename(j.staged(path), path)
		}
	}
	return err
}

// reach opens a directory of the stage, and the one that it goes into: moves come
// directory by directory.
func (j *journal) reach(dir string) error {
	if j.from != nil && j.at == dir {
		return nil
	}
	j.closeWay()
	at := dir
	if at == "" {
		at = "."
	}
	from, err := j.stage.fresh.Open(at)
	if err != nil {
		return err
	}
	to, err := j.stage.out.Open(at)
	if err != nil {
		return errors.Join(err, from.Close())
	}
	j.at, j.from, j.to = dir, from, to
	return nil
}

// closeWay closes the directories: Windows renames none that is open.
func (j *journal) closeWay() {
	if j.from != nil {
		_, _ = j.from.Close(), j.to.Close() // they were only ways
		j.from, j.to = nil, nil
	}
}

// giveUp takes all moves back. If it cannot, nobody may remove the stage: it has
// what was there before.
func (j *journal) giveUp(why error) error {
	err := j.undo()
	if err == nil {
		return why
	}
	s := j.stage
	s.closeWays() // Windows renames no directory with open files
	s.lock.release()
	s.lock = nil
	kept := rescuePrefix + strings.TrimPrefix(s.name, stagePrefix)
	if renameErr := s.out.Rename(s.name, kept); renameErr != nil {
		kept, err = s.name, errors.Join(err, renameErr)
	}
	s.name = ""
	return errors.Join(why, err, fmt.Errorf("what was there before is in %q", filepath.Join(s.dir, kept, "old")))
}

// undo takes the moves back, last first.
func (j *journal) undo() error {
	j.closeWay()
	var errs []error
	out := j.stage.out
	for i := len(j.done) - 1; i >= 0; i-- {
		m := j.done[i]
		from, to := m.path, j.staged(m.path)
		if m.replace {
			from, to = j.backup(i), m.path
		}
		if err := out.Rename(from, to); err != nil {
			errs = append(errs, fmt.Errorf("taking %q back: %w", m.path, err))
		}
	}
	return errors.Join(errs...)
}
