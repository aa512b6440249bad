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
	t := s.newTree()
	defer t.close()
	for _, l := range s.links {
		dir, err := t.dir(parent(l.entry.dest))
		if err != nil {
			return err
		}
		if err := dir.Symlink(l.target, base(l.entry.dest)); err != nil {
			return writtenTwice(l.entry.dest, err)
		}
	}
	s.links = nil
	paths := slices.Sorted(maps.Keys(s.dirs))
	for _, path := range paths {
		if _, err := t.dir(path); err != nil {
			return err
		}
	}
	for _, path := range slices.Backward(paths) {
		if err := s.finishDir(t, path, s.dirs[path]); err != nil {
			return err
		}
	}
	clear(s.dirs)
	return nil
}

func (s *Stage) finishDir(t *tree, path string, d wantedDir) error {
	above, err := t.dir(parent(path))
	if err != nil {
		return err
	}
	// A directory that its owner cannot write to could not be renamed either.
	if err := above.Chmod(base(path), d.mode.Perm()|0o700); err != nil {
		return err
	}
	if d.modTime.IsZero() {
		return nil
	}
	return above.Chtimes(base(path), time.Time{}, d.modTime)
}
