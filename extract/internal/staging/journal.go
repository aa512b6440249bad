package staging

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// Directories of a stage that hold the files a commit replaces.
const (
	secondDir    = "old"       // second names of these files, numbered
	originalsDir = "originals" // files that were moved away, under their own paths
	settledDir   = "settled"   // the same, after the commit is complete
)

// journal records the moves of a commit, so that they can be undone.
//
// It keeps each file that it replaces in the first of three ways that the file
// system supports: by a hard link; by exchanging the old and the new file
// atomically (RENAME_EXCHANGE, Linux only); or by moving the old file to
// originals/, under its own path. Only the last leaves a moment without the file.
// If the process is killed in that moment, the path tells the next run where the
// file belongs; see recovery.
type journal struct {
	stage   *Dir
	done    []made
	seconds int // names in old/

	at            string // the directory that moves were made in last
	from, to, old *os.File
}

// made is a move that was made, or at least begun.
type made struct {
	path string
	was  string   // where the replaced file is now; "" if there was none
	now  identity // of the file that replaced it; zero until it does
}

// before announces a call about name in the directory that was reached.
func (j *journal) before(op, name string) error {
	return j.stage.calls.Before(op, names.Join(j.at, name))
}

func (j *journal) staged(path string) string { return j.stage.name + "/new/" + path }

// maxReplans is how often a commit may replan because another process, such as a
// second run, changes the same paths.
const maxReplans = 1000

// errChanged reports a path whose file was replaced since the move was planned.
var errChanged = errors.New("the path has changed")

// all makes the moves until one fails. If a file has appeared or disappeared since
// the move was planned, it plans that move again: two runs may create the same
// directory.
func (j *journal) all(ctx context.Context, moves []move) error {
	for replans := 0; len(moves) > 0; {
		m := moves[0]
		moves = moves[1:]
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		err := j.do(m)
		changed := !m.replace && errors.Is(err, fs.ErrExist) || m.replace && errors.Is(err, fs.ErrNotExist) || errors.Is(err, errChanged)
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
	}
	return nil
}

// planAgain plans one move again.
func (s *Dir) planAgain(path string) ([]move, error) {
	staged, err := s.fresh.Lstat(path)
	if err != nil {
		return nil, err
	}
	return s.planMove(path, fs.FileInfoToDirEntry(staged))
}

// do makes one move. Even if it fails, the journal has what needs undoing.
func (j *journal) do(m move) error {
	if err := j.reach(names.Parent(m.path)); err != nil {
		return err
	}
	fresh, err := j.identify(names.Base(m.path))
	if err != nil {
		return err
	}
	if m.replace {
		return j.replace(m.path, fresh)
	}
	if err := j.add(m.path); err != nil {
		return err
	}
	j.note(m.path, "", fresh)
	return nil
}

func (j *journal) note(path, was string, now identity) {
	j.done = append(j.done, made{path, was, now})
}

// reach opens a directory of the stage, and the one that it goes into: moves come
// directory by directory.
func (j *journal) reach(dir string) error {
	if j.from != nil && j.at == dir {
		return nil
	}
	j.closeWay()
	from, err := j.stage.fresh.Open(orDot(dir))
	if err != nil {
		return err
	}
	to, err := j.stage.out.Open(orDot(dir))
	if err != nil {
		return errors.Join(err, from.Close())
	}
	j.at, j.from, j.to = dir, from, to
	return nil
}

// closeWay closes the directories: Windows can't rename open ones.
func (j *journal) closeWay() {
	if j.from != nil {
		_, _ = j.from.Close(), j.to.Close() // opened only to reach files
		j.from, j.to = nil, nil
	}
}

// close closes all directories.
func (j *journal) close() {
	j.closeWay()
	if j.old != nil {
		_ = j.old.Close() // opened only to reach files
		j.old = nil
	}
}

// settle marks the commit as complete: the files in originals/ are obsolete, and a
// run that is killed while it removes its stage leaves nothing to recover.
func (j *journal) settle() {
	j.close()
	for _, m := range j.done {
		if m.was == j.stage.name+"/"+originalsDir+"/"+m.path {
			out := j.stage.out
			_ = out.Rename(j.stage.name+"/"+originalsDir, j.stage.name+"/"+settledDir) // if it fails, originals/ is removed like the rest
			return
		}
	}
}
