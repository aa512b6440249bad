package redact

import (
	"net/http"
	"net/url"
	"strings"
)

// minEchoed is the length in bytes from which a value in an address is masked in what the
// server says. Shorter ones, such as the 600 of X-Amz-Expires=600, aren't signatures, and
// are parts of other words.
const minEchoed = 8

// Said returns text that an answer contains, with the values masked that the request and
// those that were redirected to it contain in their addresses and headers: storage may
// repeat the signature of its address, and a gateway what it was given. Later, the text may
// be shortened or split, so that parts of a value would remain.
func Said(resp *http.Response, text string) string {
	var values []string
	for resp != nil && resp.Request != nil {
		values = append(values, secrets(resp.Request.URL)...)
		for name, list := range resp.Request.Header {
			for _, value := range list {
				values = append(values, Header(name, value, resp.Request.URL.String())...)
			}
		}
		resp = resp.Request.Response
	}
	if text == "" || len(values) == 0 {
		return text
	}
	return New(values...).String(text)
}

// secrets returns the values in a query that [URL] redacts, as they are and decoded.
func secrets(u *url.URL) []string {
	var values []string
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		if parameter(pair) == pair {
			continue
		}
		_, raw, found := strings.Cut(pair, "=")
		if !found {
			raw = pair
		}
		decoded, _ := url.QueryUnescape(raw) // empty if it is malformed
		for _, value := range []string{raw, decoded} {
			if len(value) >= minEchoed {
				values = append(values, value)
			}
		}
	}
	return values
}
