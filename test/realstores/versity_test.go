//go:build realstores

package realstores

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

const (
	accessKey = "AKIAIOSFODNN7EXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// openVersity starts versitygw.
func openVersity(t *testing.T) *store {
	t.Helper()
	s := new(store)
	s.serve(t, func(address string) *harness.Daemon {
		return harness.Begin(t, tool(t, "versitygw"), "--access", accessKey, "--secret", secretKey, "--port", address, "--quiet",
			"posix", "--sidecar", t.TempDir(), t.TempDir())
	})
	s.sign = func(method, host string, until time.Time) string {
		return presignS3(method, host, "/bucket/1001/artifacts.zip", until)
	}
	s.put = func(t *testing.T, archive []byte) {
		t.Helper()
		request(t, http.MethodPut, s.sign(http.MethodPut, s.address, time.Now().Add(anHour)), archive)
	}
	request(t, http.MethodPut, presignS3(http.MethodPut, s.address, "/bucket", time.Now().Add(anHour)), nil)
	return s
}

// presignS3 is AWS Signature Version 4 in a query.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
func presignS3(method, host, path string, until time.Time) string {
	begin := until.Add(-anHour).UTC()
	day, scope := begin.Format("20060102"), begin.Format("20060102")+"/us-east-1/s3/aws4_request"
	query := url.Values{
		"X-Amz-Algorithm": {"AWS4-HMAC-SHA256"}, "X-Amz-Credential": {accessKey + "/" + scope},
		"X-Amz-Date": {begin.Format("20060102T150405Z")}, "X-Amz-Expires": {fmt.Sprint(int(anHour.Seconds()))}, "X-Amz-SignedHeaders": {"host"},
	}
	canonical := strings.Join([]string{method, path, query.Encode(), "host:" + host, "", "host", "UNSIGNED-PAYLOAD"}, "\n")
	digest := sha256.Sum256([]byte(canonical))
	text := strings.Join([]string{"AWS4-HMAC-SHA256", query.Get("X-Amz-Date"), scope, hex.EncodeToString(digest[:])}, "\n")
	key := []byte("AWS4" + secretKey)
	for _, part := range []string{day, "us-east-1", "s3", "aws4_request", text} {
		key = sum(key, part)
	}
	return "http://" + host + path + "?" + query.Encode() + "&X-Amz-Signature=" + hex.EncodeToString(key)
}

// sum is HMAC-SHA256.
func sum(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(text)) // it doesn't fail
	return mac.Sum(nil)
}
