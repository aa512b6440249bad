package pin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"

	"gitlab.com/artifetch/artifetch/internal/digest"
	"gitlab.com/artifetch/artifetch/internal/smallfile"
	"gitlab.com/artifetch/artifetch/manifest"
)

// Workspace is the directory of a manifest.
type Workspace struct {
	Root     string // the directory
	File     string // the manifest
	LockFile string
	Manifest manifest.Manifest
	Lock     manifest.Lock // empty if the workspace has none
	HasLock  bool

	text   []byte // of the manifest
	asRead []byte // text before it was edited
	edited bool   // text hasn't been written yet
	lookup func(string) (string, bool)
}

// Open reads a manifest and its lock file. If the lock file's name is empty, it is the
// manifest's with the extension .lock. lookup returns the variables in the manifest. If
// the manifest doesn't exist, the error is a [*NoManifestError].
func Open(ctx context.Context, manifestFile, lockFile string, lookup func(string) (string, bool)) (Workspace, error) {
	w := Workspace{Root: filepath.Dir(manifestFile), File: manifestFile, LockFile: lockFile, lookup: lookup}
	if lockFile == "" {
		w.LockFile = manifestFile[:len(manifestFile)-len(filepath.Ext(manifestFile))] + ".lock"
	}
	var err error
	if w.text, err = smallfile.Read(ctx, manifestFile, manifest.MaxSize); errors.Is(err, fs.ErrNotExist) {
		return w, &NoManifestError{manifestFile, err}
	}
	if err != nil {
		return w, err
	}
	if w.Manifest, err = manifest.Read(manifestFile, w.text, lookup); err != nil {
		return w, err
	}
	if w.LockFile, err = lockTarget(w.Root, w.LockFile); err != nil {
		return w, err
	}
	if below, err := filepath.Rel(w.Root, w.LockFile); err != nil || !filepath.IsLocal(below) {
		return w, &OutsideError{w.LockFile}
	}
	if _, err := os.Stat(w.LockFile); err == nil {
		w.HasLock = true
	}
	w.Lock, err = manifest.ReadLock(ctx, w.LockFile)
	return w, err
}

// Has reports whether the manifest has a source with that name.
func (w Workspace) Has(source string) bool {
	return slices.ContainsFunc(w.Manifest.Sources, func(s manifest.Source) bool { return s.Name == source })
}

// Names returns the names of the sources, in the order of the manifest.
func (w Workspace) Names() (names []string) {
	for _, s := range w.Manifest.Sources {
		names = append(names, s.Name)
	}
	return names
}

// locked returns the entry of a source, if it is for the source's current query.
func (w Workspace) locked(source manifest.Source) (manifest.Locked, bool) {
	entry, found := w.Lock.Find(source.Name)
	return entry, found && entry.IsFor(source)
}

// emptyZip is the size of an archive without entries, in bytes.
const emptyZip = 22

// doubtful reports whether an entry has no files although its archive isn't empty: a wrong
// merge can leave that. It may also have directories alone; a download shows that.
func doubtful(entry manifest.Locked) bool {
	return entry.JobID != 0 && len(entry.Files) == 0 && entry.Size != emptyZip
}

// inPlace reports whether all files of an entry are in the workspace, unchanged. Without a
// file that isn't certain.
func (w Workspace) inPlace(ctx context.Context, entry manifest.Locked) bool {
	return !doubtful(entry) && !slices.ContainsFunc(entry.Files, func(f manifest.LockFile) bool { return w.different(ctx, f) != "" })
}

// different says how a file differs from the locked one, or "".
func (w Workspace) different(ctx context.Context, f manifest.LockFile) string {
	file := filepath.Join(w.Root, filepath.FromSlash(f.Path))
	info, err := os.Lstat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Missing
	case err != nil:
		return err.Error()
	case f.Target != "":
		if target, err := os.Readlink(file); err != nil || target != f.Target {
			return Changed
		}
		return ""
	case !info.Mode().IsRegular() || info.Size() != f.Size || !sameMode(runtime.GOOS, info.Mode(), f.Mode):
		return Changed
	}
	content, err := os.Open(file)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = content.Close() }() // only read
	if sum, err := digest.Sum(ctx, content); err != nil || sum != f.SHA256 {
		return Changed
	}
	return ""
}

// sameMode compares a mode with the locked one. Windows has no permission bits: Go makes
// them up, and a lock file has those of the archive.
func sameMode(goos string, mode fs.FileMode, locked string) bool {
	return goos == "windows" || octal(mode) == locked
}

func octal(mode fs.FileMode) string { return fmt.Sprintf("%04o", mode.Perm()) }

// Output returns the directory of a source's files below the manifest's directory, with
// slashes; empty means that directory itself.
func Output(s manifest.Source) string { return path.Clean("/" + filepath.ToSlash(s.Output))[1:] }
