//go:build !linux

package deadend

import (
	"context"
	"net"
)

// refused gives its port back: something else may come to listen there.
func refused() (*Address, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &Address{URL: "http://" + l.Addr().String()}, l.Close()
}

func blackHole() (*Address, error) { return silent() }
