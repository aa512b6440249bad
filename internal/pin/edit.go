package pin

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"gitlab.com/artifetch/artifetch/internal/atomicfile"
	"gitlab.com/artifetch/artifetch/manifest"
)

// CheckNew returns an [*ExistsError] if a first manifest would replace something.
func CheckNew(file string) error {
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = &fs.PathError{Op: "create", Path: file, Err: fs.ErrExist}
		}
		return &ExistsError{file, err}
	}
	return nil
}

// Init writes a first manifest. If the file exists, the error is an [*ExistsError].
func Init(file string, draft manifest.Draft) error {
	text, err := draft.Text()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // less the umask: people read and commit it
	if errors.Is(err, fs.ErrExist) {
		return &ExistsError{file, err}
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(file) // a partial manifest
	}
	return err
}

// Add returns the workspace with one more source in its manifest, which a [Syncer] writes
// with the files. Errors are [*manifest.Error].
func (w Workspace) Add(s manifest.Source) (Workspace, error) {
	text, err := manifest.Add(w.File, w.text, s, w.lookup)
	return w.with(text, err)
}

// Remove returns the workspace without some of its sources, as Add does.
func (w Workspace) Remove(names []string) (Workspace, error) {
	text, err := manifest.Remove(w.File, w.text, names, w.lookup)
	return w.with(text, err)
}

func (w Workspace) with(text []byte, err error) (Workspace, error) {
	if err != nil {
		return w, err
	}
	if !w.edited {
		w.asRead = w.text
	}
	w.text, w.edited = text, true
	w.Manifest, err = manifest.Read(w.File, text, w.lookup)
	return w, err
}

// writeManifest writes an edited manifest to its file. undo writes back what was read.
func (w Workspace) writeManifest(ctx context.Context) (undo func() error, err error) {
	if err := w.checkCurrent(ctx); err != nil {
		return nil, err
	}
	write := func(ctx context.Context, text []byte) error {
		return atomicfile.Write(ctx, w.File, func(out io.Writer) error {
			_, err := out.Write(text)
			return err
		})
	}
	return func() error { return write(context.WithoutCancel(ctx), w.asRead) }, write(ctx, w.text)
}

// untouched returns plans for all locked sources except those in Only: they stay as
// locked, even if the manifest has changed.
func (s *Syncer) untouched() (plans []*Plan) {
	for _, entry := range s.Lock.Sources {
		if slices.Contains(s.Only, entry.Name) {
			continue
		}
		p := &Plan{Source: manifest.Source{Name: entry.Name}, Entry: entry, Was: &entry, Before: &entry}
		if at := slices.Index(s.Workspace.Names(), entry.Name); at >= 0 {
			p.Source = s.Manifest.Sources[at]
		}
		plans = append(plans, p)
	}
	return plans
}

// Dropped returns the entries that a commit removes from the lock file: those of sources
// that are no longer in the manifest.
func (s *Syncer) Dropped() []manifest.Locked {
	return slices.DeleteFunc(s.Workspace.Dropped(), func(e manifest.Locked) bool { return len(s.Only) > 0 && !slices.Contains(s.Only, e.Name) })
}

// lockTarget returns the file that a lock file's link leads to, or the lock file itself:
// replacing the link would leave the old file where it leads.
func lockTarget(root, lockFile string) (string, error) {
	if info, err := os.Lstat(lockFile); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return lockFile, nil //nolint:nilerr // it isn't a link, or doesn't exist
	}
	target, err := atomicfile.Target(lockFile)
	if err != nil || target == "" || !filepath.IsAbs(target) || filepath.IsAbs(root) {
		return cmp.Or(target, lockFile), err
	}
	full, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	below, err := filepath.Rel(full, target)
	return filepath.Join(root, below), err
}

// lockName returns the lock file relative to the manifest's directory.
func (w Workspace) lockName() (string, error) {
	name, err := filepath.Rel(w.Root, w.LockFile)
	return filepath.ToSlash(name), err
}
