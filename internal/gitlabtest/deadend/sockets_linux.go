package deadend

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// bound reserves a port without listening on it.
func bound() (fd int, host string, err error) {
	fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, "", os.NewSyscallError("socket", err)
	}
	if err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		_ = syscall.Close(fd)
		return 0, "", os.NewSyscallError("bind", err)
	}
	name, err := syscall.Getsockname(fd)
	local, ok := name.(*syscall.SockaddrInet4)
	if !ok {
		_ = syscall.Close(fd)
		return 0, "", fmt.Errorf("getsockname: %w", err)
	}
	return fd, fmt.Sprintf("127.0.0.1:%d", local.Port), nil
}

// refused keeps its port, so nothing else can listen there.
func refused() (*Address, error) {
	fd, host, err := bound()
	if err != nil {
		return nil, err
	}
	return &Address{URL: "http://" + host, close: func() { _ = syscall.Close(fd) }}, nil
}

// blackHole listens with an empty queue and fills it: Linux then drops the packets that
// would open another connection.
func blackHole() (*Address, error) {
	fd, host, err := bound()
	if err != nil {
		return nil, err
	}
	var taken []net.Conn
	address := &Address{URL: "http://" + host, close: func() {
		_ = syscall.Close(fd)
		for _, conn := range taken {
			_ = conn.Close()
		}
	}}
	if err := syscall.Listen(fd, 0); err != nil {
		address.Close()
		return nil, os.NewSyscallError("listen", err)
	}
	const room = 8 // more than fit into a queue of length 0
	for range room {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
		cancel()
		if err != nil {
			return address, nil //nolint:nilerr // it is full, as it should be
		}
		taken = append(taken, conn)
	}
	address.Close()
	return nil, errors.New("this system takes connections that are never accepted")
}
