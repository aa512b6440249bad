package extract

import (
	"io/fs"
	"maps"
	"slices"
	"time"
)

type wantedDir struct {
	mode    fs.FileMode
	modTime time.Time
}

type wantedLink struct {
	entry  *entry
	target string
}

func (s *Stage) wantDir(path string, mode fs.FileMode, modTime time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dirs[path] = wantedDir{mode, modTime}
}

// wantLink checks a link and notes it for finish.
func (s *Stage) wantLink(e *entry, target string) error {
	if err := checkTarget(e.name, target); err != nil {
		return err
	}
	if reason := s.rules.leads(e.dest, target); reason != "" {
		return &UnsafeError{e.name, reason + ": " + target}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links = append(s.links, wantedLink{e, target})
	return nil
}

// finish makes what has to wait for the files: links, so that nothing is written
// through one, and directories, whose times would change with every file in
// them. Deepest first, for the same reason.
func (s *Stage) finish() error {
	for _, l := range s.links {
		if err := s.makeLink(l); err != nil {
			return err
		}
	}
	s.links = nil
	paths := slices.Sorted(maps.Keys(s.dirs))
	for _, path := range slices.Backward(paths) {
		if err := s.finishDir(path, s.dirs[path]); err != nil {
			return err
		}
	}
	clear(s.dirs)
	return nil
}

func (s *Stage) makeLink(l wantedLink) error {
	dir, err := s.tree.dir(parent(l.entry.dest))
	if err != nil {
		return err
	}
	defer s.tree.release(dir)
	if err := dir.symlink(l.target, base(l.entry.dest)); err != nil {
		return writtenTwice("symlink", l.entry.dest, err)
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
	if err := dir.chmod(d.mode.Perm() | 0o700); err != nil {
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
