// Package deadend provides unreachable addresses that fail in the ways of real networks,
// to test how a client reacts.
package deadend

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
)

// Address is an unreachable address.
type Address struct {
	URL   string
	close func()
}

// Close releases the address's resources.
func (a *Address) Close() {
	if a.close != nil {
		a.close()
	}
}

// Open creates an address of a kind:
//
//	refused     nothing listens there
//	no-name     its name doesn't resolve (RFC 6761 reserves .invalid)
//	untrusted   TLS with a certificate that no system trusts
//	silent      it accepts connections and never answers
//	black-hole  it doesn't accept connections, as if a firewall drops them; only on
//	            Linux, elsewhere it is silent
func Open(kind string) (*Address, error) {
	switch kind {
	case "refused":
		return refused()
	case "no-name":
		return &Address{URL: "https://storage.invalid"}, nil
	case "untrusted":
		s := httptest.NewUnstartedServer(http.NotFoundHandler())
		s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes are expected to fail
		s.StartTLS()
		return &Address{URL: s.URL, close: s.Close}, nil
	case "silent":
		return silent()
	case "black-hole":
		return blackHole()
	}
	return nil, fmt.Errorf("no dead end of the kind %q", kind)
}

// silent never calls Accept: the system accepts the connections by itself.
func silent() (*Address, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &Address{URL: "http://" + l.Addr().String(), close: func() { _ = l.Close() }}, nil
}
