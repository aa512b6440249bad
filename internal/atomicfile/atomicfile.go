// Package atomicfile writes files whole or not at all: to a temporary file in the
// same directory, which it then renames.
//
// It doesn't sync files to disk: after a crash of the machine, a file may be lost.
package atomicfile

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"gitlab.com/artifetch/artifetch/internal/ctxio"
)

// Write writes a file:
//
//   - Missing directories are created, but only once content has succeeded, and not those
//     of a link's target.
//   - A new file gets mode 0666, less the umask. An existing file is replaced by one
//     with the same permissions; its other hard links keep the old content. If content
//     or anything else fails, nothing changes.
//   - Symbolic links are followed, as by a shell's ">": Write writes their target.
//   - Devices, pipes and sockets are written to, and so are open descriptors of the
//     process (/dev/stdout, /dev/fd/3) and mount points. This isn't atomic: if
//     content fails, what it has written stays.
//   - For a directory, Write returns an error before it calls content.
//
// A pipe may have no reader, or one that doesn't read: the end of ctx ends the wait for it,
// with its cause.
func Write(ctx context.Context, name string, content func(io.Writer) error) error {
	t, err := find(name)
	if err != nil {
		return err
	}
	if t.open != nil {
		return through(ctx, t.open, content)
	}
	p, err := t.pending(name)
	if err != nil {
		return err
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
	if err := os.MkdirAll(beside(t.path), dirPerm); err != nil {
		return err
	}
	err = p.Commit(t.path)
	if errors.Is(err, syscall.EBUSY) {
		// It's a mount point: container runtimes mount single files.
		return through(ctx, func() (*os.File, error) { return os.OpenFile(t.path, os.O_WRONLY|os.O_TRUNC, 0) }, p.copyTo)
	}
	return err
}

// Check returns an error if [Write] would fail, for example because name is a
// directory, or because no file can be created beside it. It doesn't find all reasons.
func Check(name string) error {
	t, err := find(name)
	if err != nil || t.open != nil {
		return err
	}
	p, err := t.pending(name)
	if err == nil {
		p.Discard()
	}
	return err
}

// pending creates the temporary file of a target: beside it, or, if that directory
// doesn't exist yet, in the nearest one that does. Both are on the same file system.
func (t target) pending(name string) (*Pending, error) {
	dir := beside(t.path)
	for !isDir(dir) && len(dir) > len(filepath.VolumeName(dir))+1 && dir != beside("") {
		dir = beside(strings.TrimRight(filepath.ToSlash(dir), "/"))
	}
	Sweep(dir)
	p, err := New(dir, newPerm)
	if err != nil {
		return nil, pathError("create", name, err)
	}
	return p, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// named writes to a temporary file. Its errors have the name that the file will get.
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

func through(ctx context.Context, open func() (*os.File, error), content func(io.Writer) error) error {
	f, err := ctxio.Await(ctx, open)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = f.SetWriteDeadline(time.Now()) }) // what can't have one isn't a pipe
	defer stop()
	err = errors.Join(content(f), f.Close())
	if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

// The modes of new files and directories, before the umask.
const (
	newPerm fs.FileMode = 0o666
	dirPerm fs.FileMode = 0o777
)

// pathError replaces the temporary name in an error.
func pathError(op, path string, err error) error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		err = inner.Err
	} else if inner, ok := errors.AsType[*os.LinkError](err); ok {
		err = inner.Err
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}
