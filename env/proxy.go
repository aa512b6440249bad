package env

import (
	"net/url"
	"slices"
	"strings"
)

// proxies returns the passwords in the addresses of proxies, to mask them. An invalid
// address is an error: net/http would silently connect without the proxy.
func (s *settings) proxies() ([]Secret, error) {
	var passwords []Secret
	for _, p := range []struct {
		name  string
		value Secret
	}{
		{"HTTP_PROXY", s.HTTPProxy}, {"http_proxy", s.HTTPProxyLower},
		{"HTTPS_PROXY", s.HTTPSProxy}, {"https_proxy", s.HTTPSProxyLower},
	} {
		if p.value.IsZero() {
			continue
		}
		u, ok := parseProxy(p.value.Reveal())
		if !ok {
			return nil, &UsageError{Name: p.name, Reason: "is not the address of a proxy", Fix: "write it like http://proxy.example.com:3128, with %XX for special characters of a user or a password"}
		}
		if password, ok := u.User.Password(); ok {
			passwords = append(passwords, NewSecret(password))
		}
	}
	return passwords, nil
}

// parseProxy parses an address as net/http does, which adds http:// if the scheme is
// missing, but only accepts valid ones.
func parseProxy(value string) (*url.URL, bool) {
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" {
		return nil, false
	}
	return u, slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme)
}
