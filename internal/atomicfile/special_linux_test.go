package atomicfile_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"gitlab.com/artifetch/artifetch/internal/atomicfile"
)

// New files obey the umask; existing files keep their permissions.
func TestPermissions(t *testing.T) {
	was := unix.Umask(0o027)
	defer unix.Umask(was)
	dir := t.TempDir()
	put(t, filepath.Join(dir, "private"), "old", 0o600)
	put(t, filepath.Join(dir, "open"), "old", 0o666)
	for name, want := range map[string]fs.FileMode{"new": 0o640, "private": 0o600, "open": 0o666} {
		file := filepath.Join(dir, name)
		if err := atomicfile.Write(t.Context(), file, text("x")); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, want %v, %v", name, info.Mode(), want, err)
		}
	}
}

// The error of a full disk has the name that the caller gave, and the old file stays.
func TestNoRoom(t *testing.T) {
	signal.Ignore(unix.SIGXFSZ)
	defer signal.Reset(unix.SIGXFSZ)
	file := filepath.Join(t.TempDir(), "file")
	put(t, file, "old", 0o600)
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 10, Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	err := atomicfile.Write(t.Context(), file, text("much more than fits"))
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if about, ok := errors.AsType[*fs.PathError](err); !ok || about.Path != file || !errors.Is(err, unix.EFBIG) {
		t.Error(err)
	}
	holds(t, file, "old")
}

// device creates a character device. If this user can't, it returns one of the machine's,
// which this user can't replace either.
func device(t *testing.T, name string, minor uint32) string {
	t.Helper()
	made := filepath.Join(t.TempDir(), name)
	err := unix.Mknod(made, unix.S_IFCHR|0o666, int(unix.Mkdev(1, minor)))
	if err == nil {
		var f *os.File
		if f, err = os.OpenFile(made, os.O_RDWR, 0); err == nil { // it may be mounted with nodev
			_ = f.Close()
			return made
		}
	}
	if os.Geteuid() == 0 {
		t.Skipf("root cannot create devices on this machine, and must not replace existing ones: %v", err)
	}
	return "/dev/" + name
}

// Devices are written to, and stay devices.
func TestDevices(t *testing.T) {
	t.Parallel()
	null, full := device(t, "null", 3), device(t, "full", 7)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(null, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{null, link} {
		if err := atomicfile.Write(t.Context(), name, text("x")); err != nil {
			t.Error(err)
		}
	}
	if err := atomicfile.Write(t.Context(), full, text("x")); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("/dev/full: %v", err)
	}
	for _, name := range []string{null, full} {
		if info, err := os.Lstat(name); err != nil || info.Mode()&fs.ModeCharDevice == 0 {
			t.Errorf("%s is %v now, %v", name, info.Mode(), err)
		}
	}
}

// A pipe without a reader, or with one that doesn't read, doesn't keep a run that is stopped.
func TestPipeThatBlocks(t *testing.T) {
	t.Parallel()
	stopped := errors.New("stopped")
	for _, open := range []bool{false, true} {
		pipe := filepath.Join(t.TempDir(), "pipe")
		if err := unix.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		if open {
			reader, err := os.OpenFile(pipe, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = reader.Close() }()
		} else {
			cancel(stopped)
		}
		err := atomicfile.Write(ctx, pipe, func(w io.Writer) error {
			cancel(stopped)
			_, err := w.Write(make([]byte, 1<<20)) // more than a pipe holds
			return err
		})
		if !errors.Is(err, stopped) {
			t.Errorf("open %v: %v", open, err)
		}
		if !open { // what still waits must not outlive the test
			if reader, err := os.OpenFile(pipe, os.O_RDONLY|unix.O_NONBLOCK, 0); err == nil {
				_ = reader.Close()
			}
		}
	}
}

func TestPipe(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	read := make(chan string)
	go func() {
		content, err := os.ReadFile(pipe)
		read <- fmt.Sprint(string(content), err)
	}()
	if err := atomicfile.Write(t.Context(), pipe, text("through")); err != nil {
		t.Error(err)
	}
	if got := <-read; got != "through<nil>" {
		t.Errorf("the reader has %q", got)
	}
	if info, err := os.Lstat(pipe); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		t.Errorf("the pipe is %v now, %v", info.Mode(), err)
	}
}

// Open descriptors are written at their current offset, by any of their names. Nothing
// is overwritten, and the file isn't replaced.
func TestDescriptors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(fmt.Sprintf("/dev/fd/%d", f.Fd()), link); err != nil {
		t.Fatal(err)
	}
	want := ""
	for _, name := range []string{fmt.Sprintf("/dev/fd/%d", f.Fd()), fmt.Sprintf("/proc/self/fd/%d", f.Fd()), link} {
		if err := errors.Join(text("before ")(f), atomicfile.Write(t.Context(), name, text(filepath.Base(name)+" ")), text("after ")(f)); err != nil {
			t.Error(err)
		}
		want += "before " + filepath.Base(name) + " after "
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	holds(t, f.Name(), want)
	if err := atomicfile.Write(t.Context(), "/dev/fd/987654321", text("x")); !errors.Is(err, unix.EBADF) {
		t.Errorf("a file that is not open: %v", err)
	}
}

// The standard output of a service may be a socket, which can't be opened by its path.
func TestSocket(t *testing.T) {
	t.Parallel()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(t.Context(), fmt.Sprintf("/dev/fd/%d", pair[0]), text("through")); err != nil {
		t.Error(err)
	}
	if err := unix.Close(pair[0]); err != nil {
		t.Error(err)
	}
	other := os.NewFile(uintptr(pair[1]), "socket")
	if got, err := io.ReadAll(other); err != nil || string(got) != "through" {
		t.Errorf("at the other end: %q, %v", got, err)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
}

// If an open file was removed, its link in /proc leads nowhere.
func TestRemovedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := os.Remove(f.Name()); err != nil {
		t.Fatal(err)
	}
	decoy := f.Name() + " (deleted)" // as the kernel calls it
	put(t, decoy, "mine", 0o600)
	if err := atomicfile.Write(t.Context(), fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), f.Fd()), text("x")); err != nil {
		t.Error(err)
	}
	holds(t, decoy, "mine")
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("it made %q", got)
	}
	if info, err := f.Stat(); err != nil || info.Size() != 1 {
		t.Errorf("%d bytes were written, %v", info.Size(), err)
	}
}

// A file that is a mount point, as in a container, can't be replaced.
func TestMountedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	outer, inner := filepath.Join(dir, "outer"), filepath.Join(dir, "inner")
	put(t, outer, "old and longer", 0o600)
	put(t, inner, "", 0o600)
	if err := unix.Mount(outer, inner, "", unix.MS_BIND, ""); err != nil {
		t.Skipf("cannot mount a file on this machine: %v", err)
	}
	defer func() {
		if err := unix.Unmount(inner, 0); err != nil {
			t.Error(err)
		}
	}()
	if err := atomicfile.Write(t.Context(), inner, text("new")); err != nil {
		t.Error(err)
	}
	holds(t, outer, "new")
	if err := atomicfile.Write(t.Context(), inner, func(w io.Writer) error { return errors.Join(text("half")(w), io.ErrUnexpectedEOF) }); err == nil {
		t.Error("an error was lost")
	}
	holds(t, outer, "new") // content failed before the file was written
}
