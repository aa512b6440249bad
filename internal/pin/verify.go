package pin

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
)

// Difference is a file that differs from the lock file.
type Difference struct {
	Source string // empty for an extra file
	Path   string // relative to the directory of the manifest, with slashes
	What   string // Missing, Changed or Extra, or why that can't be told
}

// The kinds of difference.
const (
	Missing = "missing"
	Changed = "changed"
	Extra   = "extra" // in the output directory of a source, but of no source
)

// Verify compares all locked files with those in the workspace, and looks for others
// beside them. It returns how many files it has compared. The error is a [*LockError] if
// a source isn't locked.
func (w Workspace) Verify(ctx context.Context) (found []Difference, files int, err error) {
	found = []Difference{}
	locked := map[string]bool{}
	for _, source := range w.Manifest.Sources {
		entry, ok := w.locked(source)
		if !ok {
			return nil, 0, &LockError{Reason: NotLocked, Source: source.Name}
		}
		for _, f := range entry.Files {
			files++
			locked[f.Path] = true
			if what := w.different(ctx, f); what != "" {
				found = append(found, Difference{source.Name, f.Path, what})
			}
		}
	}
	if ctx.Err() != nil {
		return nil, 0, context.Cause(ctx)
	}
	extra, err := w.extra(locked)
	return append(found, extra...), files, err
}

// extra lists the files in the output directories of sources that belong to none. The
// directory of the manifest has files of its own, and doesn't count.
func (w Workspace) extra(locked map[string]bool) (found []Difference, err error) {
	seen := map[string]bool{}
	for _, source := range w.Manifest.Sources {
		dir := Output(source)
		if dir == "" || seen[dir] {
			continue
		}
		seen[dir] = true
		err = filepath.WalkDir(filepath.Join(w.Root, dir), func(file string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || d.IsDir() {
				return err
			}
			name, err := filepath.Rel(w.Root, file)
			name = filepath.ToSlash(name)
			if err == nil && !locked[name] && !seen[name] {
				seen[name] = true
				found = append(found, Difference{"", name, Extra})
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
