//go:build linux

package slownet

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// mover moves bytes from one connection to another. Between two TCP connections they go
// through a pipe in the kernel: the proxy shares the CPUs with the programs that it
// times.
type mover struct {
	src, dst net.Conn
	in, out  syscall.RawConn // nil without a pipe
	pipe     [2]int
	buf      []byte // bytes that were taken, without a pipe
}

func newMover(src, dst net.Conn) (*mover, error) {
	m := &mover{src: src, dst: dst}
	from, ok := src.(*net.TCPConn)
	to, both := dst.(*net.TCPConn)
	if !ok || !both {
		return m, nil
	}
	var err error
	if m.in, err = from.SyscallConn(); err != nil {
		return nil, err
	}
	if m.out, err = to.SyscallConn(); err != nil {
		return nil, err
	}
	if err := unix.Pipe2(m.pipe[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	_, _ = unix.FcntlInt(uintptr(m.pipe[0]), unix.F_SETPIPE_SZ, 1<<20) // a smaller one works too
	return m, nil
}

// take takes between one and n bytes from the source.
func (m *mover) take(n int) (int64, error) {
	if m.in == nil {
		m.buf = make([]byte, n)
		got, err := m.src.Read(m.buf)
		m.buf = m.buf[:got]
		return int64(got), err
	}
	var got int64
	var failed error
	err := m.in.Read(func(fd uintptr) bool {
		got, failed = splice(int(fd), m.pipe[1], int64(n))
		return !errors.Is(failed, unix.EAGAIN)
	})
	switch {
	case err != nil:
		return 0, err
	case failed != nil:
		return 0, failed
	case got == 0:
		return 0, io.EOF
	}
	return got, nil
}

// give writes n of the taken bytes to the destination.
func (m *mover) give(n int64) error {
	if m.out == nil {
		_, err := m.dst.Write(m.buf[:n])
		m.buf = m.buf[n:]
		return err
	}
	var failed error
	err := m.out.Write(func(fd uintptr) bool {
		for n > 0 && failed == nil {
			var gave int64
			gave, failed = splice(m.pipe[0], int(fd), n)
			n -= max(gave, 0)
		}
		if errors.Is(failed, unix.EAGAIN) {
			failed = nil // called again when there is room
			return false
		}
		return true
	})
	return errors.Join(err, failed)
}

// drop discards n of the taken bytes.
func (m *mover) drop(n int64) {
	if m.in == nil {
		m.buf = nil
		return
	}
	for buf := make([]byte, pieceSize); n > 0; {
		got, err := unix.Read(m.pipe[0], buf[:min(n, pieceSize)])
		if err != nil && !errors.Is(err, unix.EINTR) {
			return // it's empty
		}
		n -= int64(max(got, 0))
	}
}

func (m *mover) close() {
	if m.in != nil {
		_, _ = unix.Close(m.pipe[0]), unix.Close(m.pipe[1]) // a pipe
	}
}

func splice(from, to int, n int64) (int64, error) {
	for {
		moved, err := unix.Splice(from, nil, to, nil, int(n), unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		if !errors.Is(err, unix.EINTR) {
			return moved, os.NewSyscallError("splice", err)
		}
	}
}
