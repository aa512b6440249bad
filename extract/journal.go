package extract

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
)

// Directories of a stage that hold what was there before.
const (
	secondDir    = "old"       // second names of files, by numbers
	originalsDir = "originals" // files that were moved away, by their own names
	settledDir   = "settled"   // the same, when all moves were made
)

// journal remembers the moves that were made, to take them back.
//
// What is replaced is kept in one of three ways, whichever the file system has:
// by a second name (a hard link); by exchanging the two files in one step
// (RENAME_EXCHANGE of Linux); else by moving it away first, below originals/ under
// its own name. Only then there is a moment without a file. A run that is killed
// in it leaves a directory that says where the file belongs; see recovery.
type journal struct {
	stage   *Stage
	done    []made
	seconds int // names in old/

	at            string // the directory that moves were made in last
	from, to, old *os.File
}

// made is a move that was made, or begun.
type made struct {
	path string
	was  string   // where what was there before is now; "" if nothing was there
	now  identity // of what took its place; zero if nothing has yet
}

// before announces a call about name in the directory that was reached.
func (j *journal) before(op, name string) error {
	return j.stage.calls.before(op, join(j.at, name))
}

func (j *journal) staged(path string) string { return j.stage.name + "/new/" + path }

// maxReplans is how often a plan may be made anew because somebody else, such as
// another run, puts things into the same places.
const maxReplans = 1000

// errChanged reports a place where there is something else than was planned for.
var errChanged = errors.New("something else is there now")

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

// planAgain plans one move anew.
func (s *Stage) planAgain(path string) ([]move, error) {
	staged, err := s.fresh.Lstat(path)
	if err != nil {
		return nil, err
	}
	return s.planMove(path, fs.FileInfoToDirEntry(staged))
}

// do makes one move. What it has made of it is in the journal, also if it fails.
func (j *journal) do(m move) error {
	if err := j.reach(parent(m.path)); err != nil {
		return err
	}
	fresh, err := j.identify(base(m.path))
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

// replace puts a file into the place of another, which is kept.
func (j *journal) replace(path string, fresh identity) error {
	second := strconv.Itoa(j.seconds)
	err := j.link(base(path), second)
	switch {
	case err == nil:
		j.seconds++
		if err := j.place(base(path)); err != nil {
			return err
		}
		j.note(path, j.stage.name+"/"+secondDir+"/"+second, fresh)
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return err
	}
	// There are no hard links here, or not of this file: of somebody else's, say.
	if err := j.swap(path, fresh); !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return j.moveAway(path, fresh)
}

// swap exchanges a file for the staged one. It takes whatever is there, so that it
// has to look at it: a directory may have come.
func (j *journal) swap(path string, fresh identity) error {
	if err := j.exchange(base(path)); err != nil {
		return err
	}
	j.note(path, j.staged(path), fresh)
	came, err := j.stage.fresh.Lstat(path)
	if err != nil || came.Mode().Type()&^fs.ModeSymlink == 0 {
		return err
	}
	if err := j.exchange(base(path)); err != nil {
		return err
	}
	j.done = j.done[:len(j.done)-1]
	return errChanged
}

// moveAway moves what is there below originals/ before the staged file takes its
// place.
func (j *journal) moveAway(path string, fresh identity) error {
	out, away := j.stage.out, j.stage.name+"/"+originalsDir+"/"+path
	if err := out.MkdirAll(parent(away), 0o700); err != nil {
		return err
	}
	if err := out.renameNew(path, away); err != nil {
		return err
	}
	j.note(path, away, identity{})
	if err := j.place(base(path)); err != nil {
		return err
	}
	j.done[len(j.done)-1].now = fresh
	return nil
}

// add puts what is new into place. The error is an [fs.ErrExist] if something has
// come there meanwhile.
func (j *journal) add(path string) error {
	if err := j.before("rename", base(path)); err != nil {
		return err
	}
	err := renameNew(j.from, j.to, base(path), base(path))
	if errors.Is(err, errors.ErrUnsupported) {
		err = j.stage.out.renameUnless(j.staged(path), path)
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

// closeWay closes the directories: Windows renames none that is open.
func (j *journal) closeWay() {
	if j.from != nil {
		_, _ = j.from.Close(), j.to.Close() // they were only ways
		j.from, j.to = nil, nil
	}
}

// close closes everything.
func (j *journal) close() {
	j.closeWay()
	if j.old != nil {
		_ = j.old.Close() // idem
		j.old = nil
	}
}

// settle notes that all moves were made: what was moved away has had its day. A run
// that is killed while it removes its stage leaves nothing to recover.
func (j *journal) settle() {
	j.close()
	for _, m := range j.done {
		if m.was == j.stage.name+"/"+originalsDir+"/"+m.path {
			out := j.stage.out
			_ = out.Rename(j.stage.name+"/"+originalsDir, j.stage.name+"/"+settledDir) // it is removed all the same
			return
		}
	}
}
