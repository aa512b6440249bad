//go:build realstores

package realstores

import (
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// Varnish keeps an archive by its path, and checks itself whether an address has ended, as
// a CDN does at its edge.
const varnishConf = `
vcl 4.1;
import std;
backend apache { .host = "HOST"; .port = "PORT"; }
sub vcl_recv {
	unset req.http.Host;
	if (req.method == "PURGE") { return (purge); }
	if (std.real(regsub(req.url, ".*until=(\d+)&.*", "\1"), 0.0) < std.time2real(now, 0.0)) { return (synth(403)); }
	set req.url = regsub(req.url, "\?.*", "");
	return (hash);
}
sub vcl_backend_response { set beresp.ttl = 1h; }
`

// openVarnish starts Varnish in front of Apache.
func openVarnish(t *testing.T) *store {
	t.Helper()
	return varnish(t, "off")
}

// openUnzipping starts Varnish as it is by default: it asks Apache for gzip, and unpacks
// that for clients. Then it has neither ranges nor strong ETags.
func openUnzipping(t *testing.T) *store {
	t.Helper()
	s := varnish(t, "on")
	s.weak, s.noRanges = true, true
	return s
}

func varnish(t *testing.T, gzip string) *store {
	t.Helper()
	behind := openApache(t)
	host, port, _ := net.SplitHostPort(behind.address)
	dir := publicDir(t)
	file := filepath.Join(dir, "default.vcl")
	write(t, file, strings.NewReplacer("HOST", host, "PORT", port).Replace(varnishConf))
	s := new(store)
	s.serve(t, func(address string) *harness.Daemon {
		return harness.Begin(t, tool(t, "varnishd"), "-F", "-j", "none", "-a", address, "-f", file, "-n", dir, "-s", "malloc,128m", "-T", "none",
			"-p", "http_gzip_support="+gzip)
	})
	s.put = func(t *testing.T, archive []byte) {
		t.Helper()
		behind.put(t, archive)
		request(t, "PURGE", "http://"+s.address+"/artifacts.zip", nil)
	}
	s.sign = func(method, host string, until time.Time) string {
		return timed(method, host, strconv.FormatInt(until.Unix(), 10))
	}
	return s
}
