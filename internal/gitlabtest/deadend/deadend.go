// Package deadend has addresses that cannot be reached, each in a way that real
// networks have: for tests of what a client does then.
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

// Address is an address that cannot be reached.
type Address struct {
	URL   string
	close func()
}

// Close frees what the address needs.
func (a *Address) Close() {
	if a.close != nil {
		a.close()
	}
}

// Open makes an address of a kind:
//
//	refused     nothing listens there
//	no-name     its name does not resolve (RFC 6761 reserves .invalid)
//	untrusted   it has TLS, with a certificate that no system trusts
//	silent      it takes connections and says nothing
//	black-hole  it does not even take connections, as behind a firewall that drops
//	            them; on Linux alone, elsewhere it is silent
func Open(kind string) (*Address, error) {
	switch kind {
	case "refused":
		return refused()
	case "no-name":
		return &Address{URL: "https://storage.invalid"}, nil
	case "untrusted":
		s := httptest.NewUnstartedServer(http.NotFoundHandler())
		s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail here, as they should
		s.StartTLS()
		return &Address{URL: s.URL, close: s.Close}, nil
	case "silent":
		return silent()
	case "black-hole":
		return blackHole()
	}
	return nil, fmt.Errorf("no dead end of the kind %q", kind)
}

// silent never accepts: the system takes the connections on its own.
func silent() (*Address, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &Address{URL: "http://" + l.Addr().String(), close: func() { _ = l.Close() }}, nil
}
