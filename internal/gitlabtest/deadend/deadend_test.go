package deadend_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"syscall"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/deadend"
)

// Each address fails as its kind says, and at that point: dialed is the error of
// connecting, asked that of a request.
func TestOpen(t *testing.T) {
	t.Parallel()
	deadline := func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }
	connects := func(err error) bool { return err == nil }
	noName := func(err error) bool { _, ok := errors.AsType[*net.DNSError](err); return ok }
	refused := func(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
	unknown := func(err error) bool { _, ok := errors.AsType[x509.UnknownAuthorityError](err); return ok }
	timeout := func(err error) bool {
		network, ok := errors.AsType[net.Error](err)
		return ok && network.Timeout() || runtime.GOOS != "linux"
	}
	for kind, want := range map[string]struct {
		dialed, asked func(error) bool
		dials, asks   time.Duration
	}{
		"refused":    {refused, refused, long, long},
		"no-name":    {noName, noName, long, long},
		"untrusted":  {connects, unknown, long, long},
		"silent":     {connects, deadline, long, patience},
		"black-hole": {timeout, deadline, patience, patience},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			address, err := deadend.Open(kind)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(address.Close)
			if err := dial(t, address.URL, want.dials); !want.dialed(err) {
				t.Errorf("connecting to %s: %v", address.URL, err)
			}
			if err := ask(t, address.URL, want.asks); !want.asked(err) {
				t.Errorf("asking %s: %v", address.URL, err)
			}
		})
	}
	if _, err := deadend.Open("nowhere"); err == nil {
		t.Error("an unknown kind")
	}
}

// patience is for addresses that never answer, long for those that fail by themselves.
const patience, long = 300 * time.Millisecond, time.Minute

func dial(t *testing.T, address string, wait time.Duration) error {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	host := at.Host
	if at.Port() == "" {
		host += ":443"
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err == nil {
		_ = conn.Close()
	}
	return err
}

// ask sends a request and discards the answer.
func ask(t *testing.T, address string, wait time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	return err
}
