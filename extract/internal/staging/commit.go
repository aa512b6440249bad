package staging

import (
	"context"
	"errors"
	"io/fs"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// move is one step of a commit.
type move struct {
	path    string // in the output directory, and below new/
	replace bool   // something is there
}

// Commit moves the staged files into the output directory. It checks all of them
// before it moves any. If a move fails, or ctx ends, it undoes those it has made. If it
// can't restore a file, it keeps it, and the [*RescueError] says where. Commits into one
// directory wait for each other.
func (s *Dir) Commit(ctx context.Context) error {
	s.tree.close() // Windows can't rename open directories
	done, err := s.takeTurn(ctx)
	if err != nil {
		return err
	}
	err = s.commit(ctx)
	done()
	if err == nil {
		_ = s.remove() // reported by OnLeftover: the files are in place
	}
	return err
}

func (s *Dir) commit(ctx context.Context) error {
	if err := s.holdBack(); err != nil {
		return err
	}
	moves, err := s.planMoves("")
	if err != nil {
		return err
	}
	j := journal{stage: s}
	defer j.close()
	if err = j.prune(ctx); err == nil {
		err = j.all(ctx, moves)
	}
	if err == nil {
		err = j.finish()
	}
	if err != nil {
		return j.giveUp(err)
	}
	j.settle()
	s.committed = true
	s.removeEmpty()
	return nil
}

// planMoves compares a directory of the stage with the one it goes into. What is
// new goes as a whole, by one rename.
func (s *Dir) planMoves(dir string) ([]move, error) {
	staged, err := s.fresh.readDir(orDot(dir))
	if err != nil {
		return nil, err
	}
	var moves []move
	for _, e := range staged {
		more, err := s.planMove(names.Join(dir, e.Name()), e)
		if err != nil {
			return nil, err
		}
		moves = append(moves, more...)
	}
	return moves, nil
}

func (s *Dir) planMove(path string, e fs.DirEntry) ([]move, error) {
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
		s.opts.OnSkip(path, "it already exists")
		return nil, nil
	case FailIfExists:
		return nil, &ConflictError{Path: path, Reason: "it already exists"}
	}
	return []move{{path, true}}, nil
}

// mayReplace allows files and links to take the place of files and links.
func mayReplace(path string, e fs.DirEntry, there fs.FileInfo) error {
	switch {
	case e.IsDir() && there.Mode()&fs.ModeSymlink != 0:
		return &ConflictError{Path: path, Reason: "cannot create directory: a link with that name exists, and links aren't followed"}
	case e.IsDir():
		return &ConflictError{Path: path, Reason: "cannot create directory: a file with that name exists"}
	case there.IsDir():
		return &ConflictError{Path: path, Reason: "cannot create file: a directory with that name exists"}
	case there.Mode().Type()&^fs.ModeSymlink != 0:
		return &ConflictError{Path: path, Reason: "cannot replace a device, pipe or socket"}
	}
	return nil
}
