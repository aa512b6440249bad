package extract

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

type wantedDir struct {
	mode    fs.FileMode
	modTime time.Time
}

type wantedLink struct{ path, target string }

func (s *Stage) wantDir(path string, mode fs.FileMode, modTime time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, again := s.dirs[path]; !again {
		s.keep(len(path))
	}
	s.dirs[path] = wantedDir{mode, modTime}
}

// maxKept bounds what all archives of a stage together leave in memory until the
// commit, in bytes: 500,000 directories, links or doubles, with what is noted of
// them.
const maxKept = 128 << 20

const lenNote = 64 // bytes that are noted with a name

// keep counts a name that stays until the commit. The lock must be held.
func (s *Stage) keep(bytes int) { s.kept += int64(bytes) + lenNote }

func (s *Stage) checkKept() error {
	s.mu.Lock()
	kept := s.kept
	s.mu.Unlock()
	if kept+s.tree.kept() > maxKept {
		return &LimitError{What: "bytes of names of directories and links, with the archives before it", Limit: maxKept}
	}
	return nil
}

// wantLink checks a link and notes it for finish.
func (s *Stage) wantLink(e *entry, target string, o Options) error {
	if err := checkTarget(e.Name, target); err != nil {
		return err
	}
	if reason := s.rules.leads(e.dest, target); reason != "" {
		switch s.opts.Symlinks {
		case SafeLinks:
			return &UnsafeError{Entry: e.Name, Reason: reason + ": " + target}
		case SkipLinks:
			s.opts.OnSkip(e.dest, reason+": "+target)
			return nil
		}
	}
	if o.Record != nil {
		o.Record(Recorded{Path: e.dest, Name: e.path, Mode: fs.ModeSymlink, Target: target})
	}
	o.OnLink(e.dest, target)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links = append(s.links, wantedLink{e.dest, target})
	s.keep(len(e.dest) + len(target))
	return nil
}

// finish makes what has to wait for the files of all archives: links, so that
// nothing is written through one, and directories, whose times would change with
// every file in them. Deepest first, for the same reason.
func (s *Stage) finish(ctx context.Context) error {
	defer s.tree.close() // Windows renames no directory that is open
	if err := s.unpackNested(ctx); err != nil {
		return err
	}
	for _, l := range s.links {
		if err := s.makeLink(l); err != nil {
			return err
		}
	}
	paths := slices.Sorted(maps.Keys(s.dirs))
	for _, path := range slices.Backward(paths) {
		if err := s.finishDir(path, s.dirs[path]); err != nil {
			return err
		}
	}
	return nil
}

// compareDoubles compares the doubles that there are, which is done once.
func (s *Stage) compareDoubles() error {
	for _, d := range s.tree.twice[s.compared:] {
		if err := s.compare(d); err != nil {
			return err
		}
		s.compared++
	}
	return nil
}

// compare allows two archives to have the same file, and nothing else in one
// place.
func (s *Stage) compare(d double) error {
	same, err := sameContent(s.fresh, d.path, s.doubles, d.name)
	if err == nil && !same {
		err = &ConflictError{d.path, strings.TrimSpace("it would be written twice, with different content: " + d.by)}
	}
	return err
}

// sameContent compares two files. What is no file is the same as none.
func sameContent(a root, aName string, b root, bName string) (bool, error) {
	aInfo, err := a.Lstat(aName)
	if err != nil {
		return false, err
	}
	bInfo, err := b.Lstat(bName)
	if err != nil || !aInfo.Mode().IsRegular() || aInfo.Size() != bInfo.Size() {
		return false, err
	}
	x, _, err := a.openStaged(aName)
	if err != nil {
		return false, err
	}
	defer func() { _ = x.Close() }() // only read
	y, _, err := b.openStaged(bName)
	if err != nil {
		return false, err
	}
	defer func() { _ = y.Close() }() // only read
	return sameBytes(x, y)
}

func sameBytes(x, y io.Reader) (bool, error) {
	p, q := make([]byte, archive.CopyBuffer), make([]byte, archive.CopyBuffer)
	for {
		n, err := io.ReadFull(x, p)
		m, _ := io.ReadFull(y, q) // they are of one size
		switch {
		case !bytes.Equal(p[:n], q[:m]):
			return false, nil
		case err == nil:
		case archive.MetEnd(err):
			return true, nil
		default:
			return false, err
		}
	}
}

func (s *Stage) makeLink(l wantedLink) error {
	dir, err := s.tree.dir(parent(l.path))
	if err != nil {
		return err
	}
	defer s.tree.release(dir)
	err = dir.symlink(l.target, base(l.path))
	if errors.Is(err, fs.ErrExist) {
		if target, readErr := s.fresh.Readlink(l.path); readErr == nil && target == l.target {
			return nil // another archive has the same link
		}
		return &ConflictError{l.path, "it would be written twice, with different content"}
	}
	if err != nil {
		if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) { // EPERM, symlink(2)
			return &UnfitError{l.path, "the file system has no symbolic links"}
		}
		return unfitHere(l.path, pathError("symlink", l.path, err))
	}
	return nil
}

func (s *Stage) finishDir(path string, d wantedDir) error {
	dir, err := s.tree.dir(path)
	if err != nil {
		return err
	}
	defer s.tree.release(dir)
	// A directory that its owner cannot write to could not be renamed either.
	if err := dir.chmod(d.mode.Perm()&^s.opts.Umask | 0o700); err != nil {
		return pathError("chmod", path, err)
	}
	if d.modTime.IsZero() {
		return nil
	}
	above, err := s.tree.dir(parent(path))
	if err != nil {
		return err
	}
	defer s.tree.release(above)
	if err := above.chtime(base(path), d.modTime); err != nil {
		return pathError("chtimes", path, err)
	}
	return nil
}
