package redact

import (
	"net/textproto"
	"slices"
	"strings"
	"unicode/utf8"
)

// plain are headers whose values aren't secrets, and are words that may occur in results
// and messages: those about a request's origin or purpose, and those that artifetch sets
// itself.
var plain = []string{
	"Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Cache-Control", "Content-Length", "Content-Type", "Forwarded",
	"If-None-Match", "If-Range", "Origin", "Pragma", "Range", "Referer", "Traceparent", "Tracestate", "User-Agent", "Via",
	"X-Correlation-Id", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Proto",
	"X-Forwarded-Scheme", "X-Forwarded-Server", "X-Forwarded-Ssl", "X-Real-Ip", "X-Request-Id",
}

// minHeader: shorter values of headers, in bytes, count as words such as main or true
// rather than secrets.
const minHeader = 8

// Header returns what messages mustn't contain of a header for the server at an address:
// its value, with and without the scheme, such as Bearer, and the values of cookies. It
// omits values that aren't secrets, and parts of the address.
func Header(name, value, address string) (secrets []string) {
	if slices.Contains(plain, textproto.CanonicalMIMEHeaderKey(name)) {
		return nil
	}
	values := []string{value, value[strings.LastIndexByte(value, ' ')+1:]}
	if strings.EqualFold(name, "Cookie") {
		for pair := range strings.SplitSeq(value, ";") {
			_, cookie, _ := strings.Cut(pair, "=")
			values = append(values, strings.TrimSpace(cookie))
		}
	}
	for _, v := range values {
		if len(v) < minHeader || strings.Contains(address, v) {
			continue
		}
		secrets = append(secrets, v)
		if latin := fromLatin1(v); latin != v {
			secrets = append(secrets, latin)
		}
	}
	return secrets
}

// fromLatin1 returns how a server reads a value that isn't ASCII: many take the bytes of
// headers for Latin-1 (RFC 9110, 5.5).
func fromLatin1(value string) string {
	var b strings.Builder
	for i := range len(value) {
		if value[i] >= utf8.RuneSelf {
			b.WriteRune(rune(value[i]))
			continue
		}
		b.WriteByte(value[i])
	}
	return b.String()
}
