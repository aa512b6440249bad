package pin

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/manifest"
)

// Difference is a file that differs from the lock file.
type Difference struct {
	Source string // empty for an extra file
	Path   string // relative to the manifest's directory, with slashes
	What   string // Missing, Changed or Extra, or why the file can't be compared
	// Removable says that an extra file is in the output of one source alone, and has a
	// name that can be removed.
	Removable bool
	// Doubtful says that an extra file is in the output of a source without locked files,
	// although its archive isn't empty: the lock file may be wrong.
	Doubtful bool
}

// The kinds of difference.
const (
	Missing = "missing"
	Changed = "changed"
	Extra   = "extra" // in the output directory of a source, but not locked
)

// Verify compares all locked files with those in the workspace, and looks for extra
// files. It returns how many files it has compared. The error is a [*DriftError] if the
// lock file isn't for this manifest.
func (w Workspace) Verify(ctx context.Context) (found []Difference, checked Checked, err error) {
	if err := w.drift(); err != nil {
		return nil, checked, err
	}
	found = []Difference{}
	locked := map[string]bool{}
	for _, source := range w.Manifest.Sources {
		entry, _ := w.locked(source)
		checked.add(entry.Files)
		for _, f := range entry.Files {
			locked[f.Path] = true
			if what := w.different(ctx, f); what != "" {
				found = append(found, Difference{Source: source.Name, Path: f.Path, What: what})
			}
		}
	}
	if ctx.Err() != nil {
		return nil, checked, context.Cause(ctx)
	}
	extra, err := w.extra(locked)
	return append(found, extra...), checked, err
}

// extra lists the files in the sources' output directories that aren't locked. It ignores
// the manifest's directory, which has other files.
func (w Workspace) extra(locked map[string]bool) (found []Difference, err error) {
	seen := map[string]bool{}
	for _, source := range w.Manifest.Sources {
		dir := Output(source)
		if dir == "" || seen[dir] {
			continue
		}
		seen[dir] = true
		entry, _ := w.Lock.Find(source.Name)
		wrong, alone := doubtful(entry), w.alone(source)
		err = w.filesBelow(dir, func(name string) {
			if !locked[name] && !seen[name] {
				seen[name] = true
				found = append(found, Difference{Path: name, What: Extra, Removable: alone && !wrong && extract.Prunable(name), Doubtful: wrong})
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// filesBelow calls visit with the files below a directory, relative to the manifest's. It
// ignores the lock file and Git's files: those in .git, and others such as .gitignore.
func (w Workspace) filesBelow(dir string, visit func(name string)) error {
	return filepath.WalkDir(filepath.Join(w.Root, dir), func(file string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return skipGit(d, err)
		}
		name, err := filepath.Rel(w.Root, file)
		if err == nil && !w.ignores(file) {
			visit(filepath.ToSlash(name))
		}
		return err
	})
}

// skipGit keeps a walk out of a Git repository's own directory.
func skipGit(dir fs.DirEntry, err error) error {
	if err == nil && extract.IsGit(dir.Name()) {
		return fs.SkipDir
	}
	return err
}

// ignores reports whether a file is the lock file or Git's.
func (w Workspace) ignores(file string) bool {
	name := filepath.Base(file)
	return strings.HasPrefix(name, ".git") || extract.IsGit(name) || file == filepath.Clean(w.LockFile)
}

// Checked counts locked files and links.
type Checked struct{ Files, Links int }

func (c *Checked) add(list []manifest.LockFile) {
	for _, f := range list {
		if f.Target != "" {
			c.Links++
		} else {
			c.Files++
		}
	}
}

// Count counts the plan's files and links.
func (p *Plan) Count() (c Checked) {
	c.add(p.Entry.Files)
	return c
}
