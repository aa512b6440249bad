package origin_test

import (
	"net/url"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/origin"
)

func TestSame(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, a, b string
		same       bool
	}{
		{"paths don't matter", "https://g.example/api/v4", "https://g.example/x?y#z", true},
		{"nor does a user", "https://g.example", "https://user:pass@g.example", true},
		{"default port", "https://g.example", "https://g.example:443", true},
		{"default port of http", "http://g.example:80", "http://g.example", true},
		{"case of the host", "https://GitLab.example", "https://gitlab.EXAMPLE", true},
		{"case of the scheme", "HTTPS://g.example", "https://g.example", true},
		{"a port of its own", "https://g.example:8443", "https://g.example:8443", true},
		{"an IPv6 address", "https://[::1]:443", "https://[::1]", true},

		{"another port", "https://g.example:8443", "https://g.example", false},
		{"the other scheme's port", "http://g.example:443", "https://g.example", false},
		{"the same port, another scheme", "http://g.example:443", "https://g.example:443", false},
		{"a host below it", "https://g.example", "https://s.g.example", false},
		{"a longer name", "https://g.example", "https://g.example.attacker.example", false},
		{"a user that looks like the host", "https://g.example", "https://g.example@attacker.example", false},
		{"a dot at the end", "https://g.example", "https://g.example.", false},
		{"a port with a zero in front", "https://g.example", "https://g.example:0443", false},
		{"a letter that is like k", "https://k.example", "https://\u212a.example", false},
		{"a letter that is like s", "https://s.example", "https://\u017f.example", false},
		{"another zone", "https://[fe80::1%25a]", "https://[fe80::1%25b]", false},
		{"no host", "https:///x", "https:///x", false},
		{"opaque", "https:x", "https:x", false},
		{"another kind of address", "file://h/x", "file://h/x", false},
		{"no scheme", "//g.example", "//g.example", false},
	}
	for _, tt := range tests {
		a, b := parse(t, tt.a), parse(t, tt.b)
		if origin.Same(a, b) != tt.same || origin.Same(b, a) != tt.same {
			t.Errorf("%s: %s and %s: %v", tt.name, a, b, !tt.same)
		}
	}
	if u := parse(t, "https://g.example"); origin.Same(u, nil) || origin.Same(nil, u) || origin.Same(nil, nil) {
		t.Error("nothing has an origin")
	}
}

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
