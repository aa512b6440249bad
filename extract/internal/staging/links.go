package staging

import (
	"errors"
	"io/fs"
	"syscall"
	"time"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// errPrivilege is Windows' ERROR_PRIVILEGE_NOT_HELD; it means nothing on other systems.
const errPrivilege = syscall.Errno(1314)

// Symlink makes a symbolic link. It returns an [UnfitError] if none can be made here.
func (s *Dir) Symlink(path, target string) error {
	dir, err := s.tree.dir(names.Parent(path))
	if err != nil {
		return err
	}
	defer s.tree.release(dir)
	err = dir.symlink(target, names.Base(path))
	if errors.Is(err, fs.ErrExist) {
		if there, readErr := s.fresh.Readlink(path); readErr == nil && there == target {
			return nil // another archive has the same link
		}
		return &ConflictError{Path: path, Reason: "it would be written twice, with different content", Twice: true}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errPrivilege):
		return &UnfitError{path, "on Windows, symbolic links need Developer Mode or an administrator", true}
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, fs.ErrPermission): // EPERM, symlink(2)
		return &UnfitError{path, "the file system has no symbolic links", true}
	}
	return unfitHere(path, pathError("symlink", path, err))
}

// FinishDir sets the mode and time of a directory, and makes it if it is missing. It
// comes last: each file that is made in a directory changes its time.
func (s *Dir) FinishDir(path string, mode fs.FileMode, modTime time.Time) error {
	dir, err := s.tree.dir(path)
	if err != nil {
		return err
	}
	defer s.tree.release(dir)
	// Its owner must be able to write to it, or it couldn't be renamed.
	if err := dir.chmod(mode.Perm()&^s.opts.Umask | 0o700); err != nil {
		return pathError("chmod", path, err)
	}
	if modTime.IsZero() {
		return nil
	}
	above, err := s.tree.dir(names.Parent(path))
	if err != nil {
		return err
	}
	defer s.tree.release(above)
	if err := above.chtime(names.Base(path), modTime); err != nil {
		return pathError("chtimes", path, err)
	}
	return nil
}

// Link makes a hard link to a staged file, and returns its size in bytes.
func (s *Dir) Link(source, path string) (size int64, err error) {
	dir, err := s.tree.dir(names.Parent(path))
	if err != nil {
		return 0, err
	}
	s.tree.release(dir)
	if err := s.fresh.Link(source, path); err != nil {
		return 0, err
	}
	info, err := s.fresh.Lstat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
