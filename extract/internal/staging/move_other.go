//go:build !linux

package staging

import (
	"errors"
	"io/fs"
	"os"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// See place_linux.go. Other systems use an [os.Root] for all of this.

// identity identifies a file. No file has the zero value.
type identity struct{ info fs.FileInfo }

func (i identity) isThatOf(info fs.FileInfo) bool { return i.info != nil && os.SameFile(i.info, info) }

func (j *journal) identify(name string) (identity, error) {
	info, err := j.stage.fresh.Lstat(names.Join(j.at, name))
	return identity{info}, err
}

func (j *journal) link(name, second string) error {
	return j.stage.out.Link(names.Join(j.at, name), j.stage.name+"/"+secondDir+"/"+second)
}

func (j *journal) place(name string) error {
	path := names.Join(j.at, name)
	return j.stage.out.Rename(j.staged(path), path)
}

func (j *journal) exchange(string) error { return errors.ErrUnsupported }

func renameNew(_, _ *os.File, _, _ string) error { return errors.ErrUnsupported }
