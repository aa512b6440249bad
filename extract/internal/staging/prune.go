package staging

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// Files of a stage whose commit also removes files.
const (
	prunedDir = "pruned" // removed files, under their own paths
	lastName  = "last"   // the staged file that goes into place last, until it does
)

// Prune makes Commit remove files from the output directory as well, and put the staged
// file last into place at its end: if the run is killed before that, the next one restores
// the removed files. Directories that become empty are removed. Commit ignores paths that
// are staged, or that aren't files or links.
func (s *Dir) Prune(paths []string, last string) { s.pruned, s.last = paths, last }

// Also makes Commit write something that can't be staged, when all other moves are made:
// together with them, or not at all. If write fails, it has written nothing. After it, only
// the last file of Prune goes into place; if that fails, undo restores what there was.
func (s *Dir) Also(write func() (undo func() error, err error)) { s.also = write }

// Pruned returns the paths that Commit has removed.
func (s *Dir) Pruned() []string { return s.removed }

// holdBack takes the last file from the other staged files.
func (s *Dir) holdBack() error {
	if s.last == "" {
		return nil
	}
	return s.out.Rename(s.name+"/new/"+s.last, s.name+"/"+lastName)
}

// prune moves away the files that the commit removes.
func (j *journal) prune(ctx context.Context) error {
	for _, path := range j.stage.pruned {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := j.takeOut(path); err != nil {
			return fmt.Errorf("removing %q: %w", path, err)
		}
	}
	return nil
}

func (j *journal) takeOut(path string) error {
	out, away := j.stage.out, j.stage.name+"/"+prunedDir+"/"+path
	if goes, err := j.stage.goes(path); err != nil || !goes {
		return err
	}
	if err := out.MkdirAll(names.Parent(away), 0o700); err != nil {
		return err
	}
	err := out.renameNew(path, away)
	if isMissing(err) {
		return nil
	}
	if err == nil {
		j.note(path, away, identity{})
		j.stage.removed = append(j.stage.removed, path)
	}
	return err
}

// goes reports whether the commit removes a path: it is a file or link from an archive,
// and none is staged for it. On file systems that ignore case, the staged one may have
// another name.
func (s *Dir) goes(path string) (bool, error) {
	if fits, err := s.out.fits(path); err != nil || !fits || path == s.last {
		return false, err
	}
	info, err := s.out.Lstat(path)
	if isMissing(err) || err == nil && info.Mode().Type()&^fs.ModeSymlink != 0 {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = s.fresh.Lstat(path)
	if isMissing(err) {
		return true, nil
	}
	return false, err
}

// finish makes the steps that follow the moves.
func (j *journal) finish() error {
	if j.stage.also == nil {
		return j.putLast()
	}
	undo, err := j.stage.also()
	if err != nil {
		return err
	}
	if err := j.putLast(); err != nil {
		return errors.Join(err, undo())
	}
	return nil
}

// putLast puts the last file into place. It keeps no copy of the file that it replaces: no
// move follows that could fail.
func (j *journal) putLast() error {
	s := j.stage
	if s.last == "" {
		return nil
	}
	if err := s.out.Rename(s.name+"/"+lastName, s.last); err != nil {
		return fmt.Errorf("putting %q into place: %w", s.last, err)
	}
	return nil
}

// removeEmpty removes the directories that have become empty. Whatever fails, they do no
// harm.
func (s *Dir) removeEmpty() {
	for _, path := range slices.Backward(s.pruned) {
		if fits, _ := s.out.fits(path); !fits {
			continue
		}
		for dir := names.Parent(path); dir != "" && s.out.Remove(dir) == nil; dir = names.Parent(dir) {
		}
	}
}

// fits reports whether an archive could write to that path.
func (r root) fits(path string) (bool, error) {
	if clean, err := names.Platform().Clean(path, false); err != nil || clean != path {
		return false, nil //nolint:nilerr // an archive could not write there, which is what was asked
	}
	for dir := names.Parent(path); dir != ""; dir = names.Parent(dir) {
		info, err := r.Lstat(dir)
		if err != nil || !info.IsDir() {
			return false, unlessMissing(err)
		}
	}
	return true, nil
}

func unlessMissing(err error) error {
	if isMissing(err) {
		return nil
	}
	return err
}
