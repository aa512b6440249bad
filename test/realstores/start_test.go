//go:build realstores

package realstores

import (
	"bytes"
	"net"
	"net/http"
	"os/exec"
	"testing"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// serve starts the store, and waits until it accepts connections.
func (s *store) serve(t *testing.T, begin func(address string) *harness.Daemon) {
	t.Helper()
	var d *harness.Daemon
	for range 5 { // a port that was free may be taken a moment later
		address := harness.FreeAddress(t, "127.0.0.1")
		d = begin(address)
		if d.Await(func() bool {
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
			if err == nil {
				_ = conn.Close() // nothing was written
			}
			return err == nil
		}) {
			s.address = address
			return
		}
	}
	t.Fatalf("the store doesn't start: %s", d.Output())
}

// request makes a request to a store that must succeed.
func request(t *testing.T, method, address string, body []byte, headers ...string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	_, _ = text.ReadFrom(resp.Body)
	_ = resp.Body.Close() // it was read
	if resp.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s\n%s", method, req.URL.Path, resp.Status, &text)
	}
}

// tool finds a server. A missing one is a failure.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v: make realstores installs it", err)
	}
	return path
}
