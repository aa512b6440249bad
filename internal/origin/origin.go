// Package origin decides whether two addresses are the same server's. Tokens and client
// certificates are sent to one origin alone, so it answers no where there is any doubt.
package origin

import (
	"net/url"
	"strings"
)

// Same reports whether two URLs have the same scheme, host and port (RFC 6454 §5). Only
// http and https have an origin; their default ports are the same as none. Host names
// are compared as they are written, except for the case of ASCII letters: a name in
// another form, or with a dot at its end, is another host.
func Same(a, b *url.URL) bool {
	if a == nil || b == nil {
		return false
	}
	scheme := lower(a.Scheme)
	port, known := map[string]string{"http": "80", "https": "443"}[scheme]
	host := lower(a.Hostname())
	return known && host != "" && scheme == lower(b.Scheme) && host == lower(b.Hostname()) && portOf(a, port) == portOf(b, port)
}

func portOf(u *url.URL, otherwise string) string {
	if port := u.Port(); port != "" {
		return port
	}
	return otherwise
}

// lower changes ASCII letters alone. Unicode has letters that become ASCII ones by its
// rules for case, such as the Kelvin sign.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
