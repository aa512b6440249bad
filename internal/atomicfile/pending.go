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
	"time"

	"gitlab.com/artifetch/artifetch/internal/filelock"
)

// prefix starts the names of temporary files.
const prefix = ".artifetch-"

var pendingName = regexp.MustCompile(`^` + regexp.QuoteMeta(prefix) + `[0-9]+$`)

// Pending is a temporary file that will get its name by [Pending.Commit]. See [New].
type Pending struct {
	*os.File
	lock *filelock.Lock // held until the file has its name; nil if there are no locks
	done bool
}

// New creates a file in dir, with mode perm less the umask. The caller must commit or
// discard it. It is locked, so that [Sweep] doesn't remove it.
func New(dir string, perm fs.FileMode) (*Pending, error) {
	for {
		name := cmp.Or(dir, ".") + string(filepath.Separator) + prefix + strconv.FormatUint(rand.Uint64(), 10)
		f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, perm)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		lock, err := filelock.Hold(f)
		switch {
		case err == nil && lock.Holds(name), errors.Is(err, errors.ErrUnsupported):
			return &Pending{File: f, lock: lock}, nil
		case err == nil, errors.Is(err, filelock.ErrHeld): // a Sweep removes it
			lock.Release()
			_ = f.Close() // nothing was written
		default:
			(&Pending{File: f}).Discard()
			return nil, err
		}
	}
}

// Commit closes the file and renames it, which replaces an existing file. The new
// name must be on the same file system. If the rename fails, the temporary file is
// still there.
func (p *Pending) Commit(name string) error {
	if err := p.Close(); err != nil { // a full disk may show only here
		return pathError("close", name, err)
	}
	if err := os.Rename(p.Name(), name); err != nil {
		return pathError("replace", name, err)
	}
	p.lock.Release()
	p.done = true
	return nil
}

// copyTo copies the file, which is closed.
func (p *Pending) copyTo(w io.Writer) error {
	f, err := os.Open(p.Name())
	if err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return errors.Join(err, f.Close())
}

// Discard closes and removes the file. After a successful [Pending.Commit] it does
// nothing, so it can be deferred.
func (p *Pending) Discard() {
	if !p.done {
		_ = p.Close()           // the content is discarded
		_ = os.Remove(p.Name()) // if it fails, a later Sweep removes it
		p.lock.Release()
	}
}

// abandoned is the age from which a temporary file must be that of a killed run, where
// locks don't show it.
const abandoned = 24 * time.Hour

// Sweep removes the temporary files of killed runs from a directory: those that aren't
// locked or, without locks, are older than a day. It ignores errors.
func Sweep(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // writing to dir will fail, too
	}
	for _, e := range entries {
		if pendingName.MatchString(e.Name()) && e.Type().IsRegular() {
			sweep(filepath.Join(dir, e.Name()))
		}
	}
}

// sweep removes a temporary file if its run is dead.
func sweep(path string) {
	if filelock.CanHold {
		held, err := filelock.Take(path, 0)
		if err == nil {
			_ = os.Remove(path) // a later Sweep tries again
			held.Release()
		}
		if err == nil || errors.Is(err, filelock.ErrHeld) {
			return
		}
	}
	if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > abandoned {
		_ = os.Remove(path) // a later Sweep tries again
	}
}
