//go:build realstores

package realstores

import (
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// Azurite's account, which its documentation names.
const (
	account    = "devstoreaccount1"
	accountB64 = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
	blob       = "/container/1001/artifacts.zip"
)

// openAzurite starts Azurite, which refuses suffix ranges.
func openAzurite(t *testing.T) *store {
	t.Helper()
	s := new(store)
	s.serve(t, func(address string) *harness.Daemon {
		host, port, _ := net.SplitHostPort(address)
		return harness.Begin(t, tool(t, "azurite-blob"), "--blobHost", host, "--blobPort", port, "--location", t.TempDir(),
			"--silent", "--disableTelemetry", "--skipApiVersionCheck")
	})
	s.sign = func(_, host string, until time.Time) string {
		return "http://" + host + "/" + account + blob + "?" + serviceSAS(until).Encode()
	}
	s.put = func(t *testing.T, archive []byte) {
		t.Helper()
		request(t, http.MethodPut, "http://"+s.address+"/"+account+blob+"?"+accountSAS().Encode(), archive,
			"x-ms-blob-type", "BlockBlob", "Content-Type", "application/octet-stream")
	}
	request(t, http.MethodPut, "http://"+s.address+"/"+account+"/container?restype=container&"+accountSAS().Encode(), nil)
	return s
}

// sasVersion is the version of the signatures.
const sasVersion = "2019-12-12"

// accountSAS lets everything be done for an hour.
// https://learn.microsoft.com/rest/api/storageservices/create-account-sas
func accountSAS() url.Values {
	v := url.Values{"sv": {sasVersion}, "ss": {"b"}, "srt": {"sco"}, "sp": {"rwdlac"}, "se": {moment(time.Now().Add(anHour))}}
	return signed(v, account, v.Get("sp"), v.Get("ss"), v.Get("srt"), "", v.Get("se"), "", "", sasVersion, "")
}

// serviceSAS lets the archive be read.
// https://learn.microsoft.com/rest/api/storageservices/create-service-sas
func serviceSAS(until time.Time) url.Values {
	v := url.Values{"sv": {sasVersion}, "sr": {"b"}, "sp": {"r"}, "se": {moment(until)}, "st": {moment(until.Add(-2 * anHour))}}
	return signed(v, "r", v.Get("st"), v.Get("se"), "/blob/"+account+blob, "", "", "", sasVersion, "b", "", "", "", "", "", "")
}

func signed(v url.Values, fields ...string) url.Values {
	key, err := base64.StdEncoding.DecodeString(accountB64)
	if err != nil {
		panic(err)
	}
	v.Set("sig", base64.StdEncoding.EncodeToString(sum(key, strings.Join(fields, "\n"))))
	return v
}

func moment(at time.Time) string { return at.UTC().Format(time.RFC3339) }
