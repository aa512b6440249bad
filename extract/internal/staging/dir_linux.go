package staging

import (
	"errors"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// dir is an open directory of the stage. Its methods take the name of a file in it, never
// a path, and don't follow links. os.Root does the same step by step, but os.File spends
// five more system calls on each new file, to prepare it for a poller that regular files
// don't use. Errors are plain errnos; the caller adds the path.
type dir struct {
	fd    int
	calls Calls
}

// dirOf opens the directory of a root.
func dirOf(r root) (dir, error) {
	f, err := r.Open(".")
	if err != nil {
		return dir{}, err
	}
	defer func() { _ = f.Close() }() // opened only to reach the directory
	return dir{int(f.Fd()), r.calls}.open(".")
}

func (d dir) open(name string) (dir, error) {
	if err := d.calls.Before("open", name); err != nil {
		return dir{}, err
	}
	fd, err := openAt(d.fd, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	return dir{fd, d.calls}, err
}

func (d dir) mkdir(name string, perm fs.FileMode) error {
	if err := d.calls.Before("mkdir", name); err != nil {
		return err
	}
	return uninterrupted(func() error { return unix.Mkdirat(d.fd, name, uint32(perm)) })
}

// isDir reports whether name is a directory, and not a link to one.
func (d dir) isDir(name string) (bool, error) {
	if err := d.calls.Before("lstat", name); err != nil {
		return false, err
	}
	var st unix.Stat_t
	err := uninterrupted(func() error { return unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) })
	return st.Mode&unix.S_IFMT == unix.S_IFDIR, err
}

// create creates a file that must not exist yet.
func (d dir) create(name string, perm fs.FileMode) (outFile, error) {
	if err := d.calls.Before("create", name); err != nil {
		return outFile{}, err
	}
	fd, err := openAt(d.fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, uint32(perm))
	return outFile{fd, d.calls}, err
}

func (d dir) symlink(target, name string) error {
	if err := d.calls.Before("symlink", name); err != nil {
		return err
	}
	return uninterrupted(func() error { return unix.Symlinkat(target, d.fd, name) })
}

// chmod sets the permissions of the directory itself.
func (d dir) chmod(perm fs.FileMode) error {
	if err := d.calls.Before("chmod", "."); err != nil {
		return err
	}
	return uninterrupted(func() error { return unix.Fchmod(d.fd, uint32(perm)) })
}

// chtime sets the modification time, and leaves the access time.
func (d dir) chtime(name string, t time.Time) error {
	if err := d.calls.Before("chtime", name); err != nil {
		return err
	}
	m, err := unix.TimeToTimespec(t)
	if errors.Is(err, unix.ERANGE) {
		return nil // 32-bit systems can't represent it
	}
	if err != nil {
		return err
	}
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, m}
	return uninterrupted(func() error { return unix.UtimesNanoAt(d.fd, name, times, unix.AT_SYMLINK_NOFOLLOW) })
}

func (d dir) close() { _ = unix.Close(d.fd) } // opened only to reach files

// outFile is a file that is being written.
type outFile struct {
	fd    int
	calls Calls
}

func (f outFile) write(p []byte) error {
	if err := f.calls.Before("write", ""); err != nil {
		return err
	}
	for len(p) > 0 {
		n, err := unix.Write(f.fd, p)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return err
		}
		p = p[max(n, 0):]
	}
	return nil
}

func (f outFile) chmod(perm fs.FileMode) error {
	if err := f.calls.Before("chmod", ""); err != nil {
		return err
	}
	return uninterrupted(func() error { return unix.Fchmod(f.fd, uint32(perm)) })
}

// close must not be retried if it is interrupted: the descriptor is gone by then, and may
// belong to another file.
func (f outFile) close() error {
	if err := unix.Close(f.fd); err != nil && !errors.Is(err, unix.EINTR) {
		return err
	}
	return f.calls.Before("close", "")
}

func openAt(fd int, name string, flags int, perm uint32) (opened int, err error) {
	err = uninterrupted(func() error {
		opened, err = unix.Openat(fd, name, flags|unix.O_CLOEXEC, perm)
		return err
	})
	return opened, err
}

// uninterrupted retries a call that a signal interrupted, as package os does.
func uninterrupted(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
