// Package atomicfile writes files that are there whole or not at all: under a name
// of their own first, then by a rename in the place of what was there.
//
// Nothing is synced to disk: what a crash of the machine leaves is up to the file
// system.
package atomicfile

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// Write writes the file name, as far as that can be done in one step:
//
//   - A new file gets the permissions that the umask leaves of 0666. A file that is
//     there is replaced by a new one with its permissions; other hard links to it
//     keep the old content. If content or anything else fails, nothing changes.
//   - Symbolic links are followed, as by a shell's ">": what they lead to is
//     written, and they stay.
//   - What is no regular file (a device, a pipe) is written through, and so are
//     the process's own descriptors (/dev/stdout, /dev/fd/3) whatever is behind
//     them, and a file that something is mounted on. What was written stays then
//     if content fails.
//   - A directory is refused, before content is called.
func Write(name string, content func(io.Writer) error) error {
	t, err := find(name)
	if err != nil {
		return err
	}
	if t.open != nil {
		return through(t.open, content)
	}
	dir := beside(t.path)
	Sweep(dir)
	p, err := New(dir, newPerm)
	if err != nil {
		return pathError("create", name, err)
	}
	defer p.Discard()
	if err := content(named{p, name}); err != nil {
		return err
	}
	if t.exists {
		if err := p.Chmod(t.perm); err != nil {
			return pathError("chmod", name, err)
		}
	}
	err = p.Commit(t.path)
	if errors.Is(err, syscall.EBUSY) {
		// Something is mounted there, as a container's runtime does with single files.
		return through(func() (*os.File, error) { return os.OpenFile(t.path, os.O_WRONLY|os.O_TRUNC, 0) }, p.copyTo)
	}
	return err
}

// Check returns the error of a [Write] that cannot succeed, such as that of a
// directory, as far as that shows beforehand.
func Check(name string) error {
	_, err := find(name)
	return err
}

// named is the writer of a file that is meant to have another name, by which errors
// call it.
type named struct {
	p    *Pending
	name string
}

// Write implements [io.Writer].
func (n named) Write(b []byte) (int, error) {
	written, err := n.p.Write(b)
	if err != nil {
		err = pathError("write", n.name, err)
	}
	return written, err
}

func through(open func() (*os.File, error), content func(io.Writer) error) error {
	f, err := open()
	if err != nil {
		return err
	}
	return errors.Join(content(f), f.Close())
}

// newPerm are the permissions of a new file, before the umask.
const newPerm fs.FileMode = 0o666

// prefix begins the names of files that have no other name yet.
const prefix = ".artifetch-"

var pendingName = regexp.MustCompile(`^` + regexp.QuoteMeta(prefix) + `[0-9]+$`)

// Pending is a file that has no name of its own yet. The zero value is not ready
// to use; see [New].
type Pending struct {
	*os.File
	done bool
}

// New makes a file in dir, with the permissions that the umask leaves of perm. It
// has to be committed or discarded.
func New(dir string, perm fs.FileMode) (*Pending, error) {
	for {
		name := cmp.Or(dir, ".") + string(filepath.Separator) + prefix + strconv.FormatUint(rand.Uint64(), 10)
		f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, perm)
		if !errors.Is(err, fs.ErrExist) {
			return &Pending{File: f}, err
		}
	}
}

// Commit closes the file and gives it its name, which has to be in the same file
// system. A file that has the name is replaced. After an error the file is as it
// was, but closed.
func (p *Pending) Commit(name string) error {
	if err := p.Close(); err != nil { // a full disk may show only here
		return pathError("close", name, err)
	}
	if err := os.Rename(p.Name(), name); err != nil {
		return pathError("replace", name, err)
	}
	p.done = true
	return nil
}

// copyTo copies a file that was closed.
func (p *Pending) copyTo(w io.Writer) error {
	f, err := os.Open(p.Name())
	if err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return errors.Join(err, f.Close())
}

// Discard closes and removes the file. After [Pending.Commit] it does nothing, so
// that it can be deferred.
func (p *Pending) Discard() {
	if !p.done {
		_ = p.Close()           // nobody wants what is in it
		_ = os.Remove(p.Name()) // a later Sweep tries again
	}
}

// abandoned is how long nobody has written to the file of a run that was killed.
const abandoned = 24 * time.Hour

// Sweep removes from a directory what killed runs have left of files. What cannot
// be removed stays.
func Sweep(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // writing there will tell
	}
	for _, e := range entries {
		if !pendingName.MatchString(e.Name()) {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(filepath.Join(dir, e.Name())) // the next one tries again
		}
	}
}

// pathError says which file an error is about, and not under which name it was
// written.
func pathError(op, path string, err error) error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		err = inner.Err
	} else if inner, ok := errors.AsType[*os.LinkError](err); ok {
		err = inner.Err
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}
