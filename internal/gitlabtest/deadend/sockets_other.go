//go:build !linux

package deadend

import (
	"context"
	"net"
)

// refused releases its port, so something else may listen there later.
func refused() (*Address, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &Address{URL: "http://" + l.Addr().String()}, l.Close()
}

func blackHole() (*Address, error) { return silent() }
