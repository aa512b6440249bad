package deadend

import (
	"context"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// blackHole listens with room for no connection and takes that room itself: Linux
// then drops the packets that would open another one.
func blackHole() (*Address, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	taken := []net.Conn{}
	address := &Address{close: func() {
		_ = syscall.Close(fd)
		for _, conn := range taken {
			_ = conn.Close()
		}
	}}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		address.Close()
		return nil, os.NewSyscallError("bind", err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		address.Close()
		return nil, os.NewSyscallError("listen", err)
	}
	name, err := syscall.Getsockname(fd)
	local, ok := name.(*syscall.SockaddrInet4)
	if err != nil || !ok {
		address.Close()
		return nil, fmt.Errorf("getsockname: %w", err)
	}
	host := fmt.Sprintf("127.0.0.1:%d", local.Port)
	address.URL = "http://" + host
	const room = 8 // more than a queue of length 0 has
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
	return nil, fmt.Errorf("this system takes connections that nobody accepts")
}
