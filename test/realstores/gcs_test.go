//go:build realstores

package realstores

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// openGCS starts fake-gcs-server. It checks no signature and no time, and ignores If-Range
// and If-None-Match.
func openGCS(t *testing.T) *store {
	t.Helper()
	s := &store{timeless: true}
	s.serve(t, func(address string) *harness.Daemon {
		host, port, _ := net.SplitHostPort(address)
		return harness.Begin(t, tool(t, "fake-gcs-server"), "-scheme", "http", "-host", host, "-port", port, "-public-host", host,
			"-backend", "memory", "-log-level", "error")
	})
	s.sign = func(method, host string, until time.Time) string {
		return "http://" + host + "/bucket/1001/artifacts.zip?" + signGCS(method, until).Encode()
	}
	s.put = func(t *testing.T, archive []byte) {
		t.Helper()
		request(t, http.MethodPost, "http://"+s.address+"/upload/storage/v1/b/bucket/o?uploadType=media&name=1001%2Fartifacts.zip", archive,
			"Content-Type", "application/octet-stream")
	}
	request(t, http.MethodPost, "http://"+s.address+"/storage/v1/b", []byte(`{"name": "bucket"}`), "Content-Type", "application/json")
	return s
}

// signGCS has the form of a signed address; what it is signed with doesn't matter.
// https://docs.cloud.google.com/storage/docs/authentication/signatures
func signGCS(method string, until time.Time) url.Values {
	v := url.Values{"GoogleAccessId": {"gitlab@example.iam.gserviceaccount.com"}, "Expires": {fmt.Sprint(until.Unix())}}
	v.Set("Signature", fmt.Sprintf("%x", sum([]byte("key"), method+v.Get("Expires"))))
	return v
}
