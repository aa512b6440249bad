// Package consoletest makes pseudo-terminals for tests.
package consoletest

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Terminal returns both ends of a new pseudo-terminal: far is the user's and is closed at
// the end of the test; near is the program's, and the test must close it. Zero rows and
// columns mean a terminal of unknown size.
//
// Read far until [syscall.EIO], which means that near is closed everywhere: then no output
// is lost. The commands ttyin and ttyout of testscript close it before they have read all.
func Terminal(t *testing.T, rows, columns uint16) (far, near *os.File) {
	t.Helper()
	far, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() }) // the test has read what it needs
	fd := int(far.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	err = errors.Join(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0),
		unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}))
	if err != nil {
		t.Fatal(err)
	}
	near, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return far, near
}

// ReadUntil reads from far until a text has been shown, and returns all that it read.
func ReadUntil(t *testing.T, far *os.File, text string) string {
	t.Helper()
	var shown strings.Builder
	for b := make([]byte, 1); !strings.HasSuffix(shown.String(), text); {
		if _, err := far.Read(b); err != nil && !errors.Is(err, syscall.EINTR) {
			t.Fatalf("%v after %q", err, shown.String())
		}
		shown.Write(b)
	}
	return shown.String()
}
