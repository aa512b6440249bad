package network

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// proxied returns a site that isn't on loopback, and a proxy that can reach it.
func proxied(t *testing.T, config string) (*site, *proxy, *net.IPNet) {
	t.Helper()
	network := ownNetwork(t)
	s := newSite(t)
	s.host = network.IP.String()
	s.start()
	return s, startProxy(t, s.host, config), network
}

// through returns how many CONNECT requests for a server the proxy got.
func (p *proxy) through(f *face) int {
	n := 0
	for _, line := range p.asked() {
		if strings.HasPrefix(line, "CONNECT "+f.address+" ") {
			n++
		}
	}
	return n
}

// A proxy only sees the destination of a tunnel. Variables may have lower-case names.
func TestTunnel(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"HTTPS_PROXY", "https_proxy"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p, _ := proxied(t, "")
			s.arrives(s.fetch(map[string]string{name: "http://" + p.address}))
			if p.through(&s.gitlab) == 0 || p.through(&s.storage) == 0 {
				t.Errorf("the proxy was asked %q", p.asked())
			}
			for _, secret := range append(harness.Secrets(), "JOB-TOKEN", "Job-Token", "Authorization", signature) {
				if strings.Contains(p.received(), secret) {
					t.Errorf("the proxy received %q", secret)
				}
			}
		})
	}
}

// With http, the proxy sees everything; the token still only goes to GitLab.
func TestProxyOfPlainHTTP(t *testing.T) {
	t.Parallel()
	network := ownNetwork(t)
	s := newSite(t)
	s.host, s.gitlab.plain, s.storage.plain = network.IP.String(), true, true
	s.start()
	p := startProxy(t, s.host, "BasicAuth ci "+proxyPassword)
	s.arrives(s.fetch(map[string]string{"HTTP_PROXY": "http://" + login() + "@" + p.address}))
	toGitLab, toStorage := 0, 0
	for request := range strings.SplitSeq(p.received(), "\r\n\r\n") {
		switch {
		case strings.HasPrefix(request, "GET "+s.gitlab.url()+"/"):
			toGitLab++
		case strings.HasPrefix(request, "GET "+s.storage.url()+"/"):
			if toStorage++; strings.Contains(request, gitlabtest.JobToken) {
				t.Errorf("the token is on its way to storage: %s", request)
			}
		}
	}
	if toGitLab == 0 || toStorage == 0 {
		t.Errorf("the proxy was asked %q", p.asked())
	}
}

// login returns the user and the password as they appear in a URL.
func login() string { return "ci:" + strings.ReplaceAll(proxyPassword, ".", "%2E") }

// Only the proxy gets its password, which isn't printed.
func TestProxyPassword(t *testing.T) {
	t.Parallel()
	s, p, _ := proxied(t, "BasicAuth ci "+proxyPassword)
	s.arrives(s.fetch(map[string]string{"HTTPS_PROXY": "http://" + login() + "@" + p.address}))
	if p.through(&s.gitlab) == 0 || !strings.Contains(p.received(), "Proxy-Authorization: Basic ") {
		t.Errorf("the proxy was asked %q", p.asked())
	}
}

// If a server echoes the password, it is masked. Here that is a GitLab, since no proxy
// does it.
func TestProxyPasswordIsMasked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.gitlab.config = `location /api/ { default_type application/json; return 403 '{"message":"no, ` + proxyPassword + `!"}'; }`
	s.start()
	s.fails(s.fetch(map[string]string{"HTTPS_PROXY": "http://" + login() + "@proxy.example.com:3128"}), 5, "no, [REDACTED]!")
}

// If the proxy refuses the connection, an action can't have happened, and the message
// says so.
func TestChangeThroughRefusingProxy(t *testing.T) {
	t.Parallel()
	for config, asked := range map[string]int{"ConnectPort 443": 1, "Upstream http 127.0.0.1:1": 2} {
		s, p, _ := proxied(t, config)
		env := map[string]string{"HTTPS_PROXY": p.address, "CI_JOB_TOKEN": "", "GITLAB_TOKEN": gitlabtest.PrivateToken}
		o := s.run(env, "job", "cancel", "1401", "--yes", "--retries", "1")
		s.fails(o, 6, "the proxy "+p.address)
		if strings.Contains(o.last, "nobody knows") {
			t.Errorf("there is a doubt:\n%s", o.last)
		}
		if n := len(p.asked()); n != asked {
			t.Errorf("%s: the proxy was asked %q", config, p.asked())
		}
	}
}

// The same CA is trusted for a proxy with TLS, which doesn't get the client certificate:
// that is for GitLab behind it.
func TestProxyOverTLS(t *testing.T) {
	t.Parallel()
	network := ownNetwork(t)
	s := newSite(t)
	s.host = network.IP.String()
	s.gitlab.config = "ssl_verify_client on; ssl_client_certificate " + s.ca.file + ";"
	s.start()
	p := startProxy(t, s.host, "")
	address := p.overTLS(s.ca.sign(t, certificate(s.host)))
	cert, key := s.ca.sign(t, certificate("client"))
	s.arrives(s.fetch(map[string]string{"HTTPS_PROXY": "https://" + address, "CI_SERVER_TLS_CERT_FILE": cert, "CI_SERVER_TLS_KEY_FILE": key}))
	if p.through(&s.gitlab) == 0 || p.through(&s.storage) == 0 || p.shown != 0 {
		t.Errorf("the proxy was asked %q, and shown %d certificates", p.asked(), p.shown)
	}
	for _, w := range s.requests(&s.gitlab) {
		if w.Verify != "SUCCESS" {
			t.Errorf("GitLab saw %+v", w)
		}
	}
}

// Problems with a proxy's certificate are reported as the proxy's.
func TestDistrustedProxy(t *testing.T) {
	t.Parallel()
	s, p, _ := proxied(t, "")
	address := p.overTLS(newAuthority(t, "Another Root").sign(t, certificate(s.host)))
	s.fails(s.fetch(map[string]string{"HTTPS_PROXY": "https://" + address}), 6, "the certificate of the proxy "+address+" is signed by an unknown authority (CN=Another Root)")
	if asked := p.asked(); len(asked) != 0 {
		t.Errorf("the proxy was asked %q", asked)
	}
	// A proxy that intercepts traffic shows its own certificate for GitLab.
	s.fails(s.fetch(map[string]string{"HTTPS_PROXY": p.address, "CI_SERVER_TLS_CA_FILE": ""}), 6,
		"the certificate of "+s.gitlab.address+" is signed by an unknown authority", "it may belong to the proxy "+p.address)
}

func TestNoProxy(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name            string
		value           func(s *site, n *net.IPNet) string
		gitlab, storage bool // reached through the proxy
	}{
		{"nothing", func(*site, *net.IPNet) string { return "" }, true, true},
		{"another host", func(*site, *net.IPNet) string { return "gitlab.example.com,203.0.113.0/24" }, true, true},
		{"host", func(s *site, _ *net.IPNet) string { return s.host }, false, false},
		{"host and port", func(s *site, _ *net.IPNet) string { return "example.com, " + s.gitlab.address }, false, true},
		{"network", func(_ *site, n *net.IPNet) string { return n.String() }, false, false},
		{"everything", func(*site, *net.IPNet) string { return "*" }, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p, network := proxied(t, "")
			s.arrives(s.fetch(map[string]string{"HTTPS_PROXY": p.address, "NO_PROXY": tt.value(s, network)}))
			if gitlab, storage := p.through(&s.gitlab) > 0, p.through(&s.storage) > 0; gitlab != tt.gitlab || storage != tt.storage {
				t.Errorf("through the proxy: GitLab %v, storage %v, want %v, %v", gitlab, storage, tt.gitlab, tt.storage)
			}
		})
	}
}

// A suffix matches names, and no name below .test exists (RFC 6761): which server gets
// the request shows which way it took.
func TestNoProxyBySuffix(t *testing.T) {
	t.Parallel()
	tests := []struct {
		noProxy string
		asked   int
		words   []string
	}{
		{"example.test,.test", 0, []string{"cannot look up gitlab.sub.test", "no such host"}},
		{"sub.test", 0, []string{"cannot look up gitlab.sub.test", "no such host"}},
		{".other.test", 1, []string{"the proxy ", "cannot connect to gitlab.sub.test:443", "NO_PROXY=gitlab.sub.test"}},
	}
	for _, tt := range tests {
		t.Run(tt.noProxy, func(t *testing.T) {
			t.Parallel()
			s, p, _ := proxied(t, "")
			s.fails(s.fetchByID(map[string]string{"CI_API_V4_URL": "https://gitlab.sub.test/api/v4", "HTTPS_PROXY": p.address, "NO_PROXY": tt.noProxy}, "--retries", "0"), 6, tt.words...)
			if n := len(p.asked()); n != tt.asked {
				t.Errorf("the proxy was asked %q", p.asked())
			}
		})
	}
}

// refusingProxy is a proxy that refuses to connect.
type refusingProxy struct {
	name   string
	config func(t *testing.T) string
	plain  bool // GitLab has an http address
	login  string
	args   []string
	asked  int
	words  []string
}

func refusingProxies() []refusingProxy {
	auth := func(*testing.T) string { return "BasicAuth ci " + proxyPassword }
	filter := func(t *testing.T) string {
		t.Helper()
		file := filepath.Join(t.TempDir(), "filter")
		write(t, file, []byte("example\\.com\n"))
		return "Filter \"" + file + "\"\nFilterDefaultDeny Yes"
	}
	return []refusingProxy{
		{name: "port", config: func(*testing.T) string { return "ConnectPort 443" }, asked: 1, words: []string{"refused to connect to GITLAB (403 ", "to allow GITLAB", "NO_PROXY=HOST connects without it"}},
		{name: "filter", config: filter, asked: 1, words: []string{"refused to connect to GITLAB (403 Filtered)", "NO_PROXY=HOST"}},
		{name: "filter, by http", config: filter, plain: true, asked: 1, words: []string{"refused to connect to GITLAB (403 Filtered)", "NO_PROXY=HOST"}},
		{name: "password missing", config: auth, asked: 1, words: []string{"requires a user name and password (407 ", "HTTPS_PROXY=http://USER:PASSWORD@PROXY"}},
		{name: "password missing, by http", config: auth, plain: true, asked: 1, words: []string{"requires a user name and password (407 ", "HTTP_PROXY=http://USER:PASSWORD@PROXY"}},
		// tinyproxy answers 401, which isn't GitLab's.
		{name: "password wrong", config: auth, login: "ci:another%2Dsecret@", asked: 1, words: []string{"doesn't accept the user name and password of HTTPS_PROXY (401 "}},
		{name: "password wrong, by http", config: auth, plain: true, login: "ci:another%2Dsecret@", asked: 1, words: []string{"doesn't accept the user name and password of HTTP_PROXY (401 "}},
		{name: "upstream missing", config: func(*testing.T) string { return "Upstream http 127.0.0.1:1" }, args: []string{"--retries", "1"}, asked: 2, words: []string{"cannot connect to GITLAB (5", "(after 2 attempts)", "NO_PROXY=HOST"}},
		{name: "upstream missing, by http", config: func(*testing.T) string { return "Upstream http 127.0.0.1:1" }, plain: true, args: []string{"--retries", "1"}, asked: 2, words: []string{"cannot connect to GITLAB (5", "(after 2 attempts)", "NO_PROXY=HOST"}},
	}
}

// The message names the proxy rather than GitLab, and refusals aren't retried.
func TestRefusingProxies(t *testing.T) {
	t.Parallel()
	for _, tt := range refusingProxies() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			network := ownNetwork(t)
			s := newSite(t)
			s.host, s.gitlab.plain, s.storage.plain = network.IP.String(), tt.plain, tt.plain
			s.start()
			p := startProxy(t, s.host, tt.config(t))
			env := map[string]string{"HTTPS_PROXY": "http://" + tt.login + p.address}
			if tt.plain {
				env = map[string]string{"HTTP_PROXY": env["HTTPS_PROXY"]}
			}
			o := s.fetchByID(env, tt.args...)
			names := strings.NewReplacer("GITLAB", s.gitlab.address, "@PROXY", "@"+p.address, "=HOST", "="+s.host)
			for i := range tt.words {
				tt.words[i] = names.Replace(tt.words[i])
			}
			s.fails(o, 6, append(tt.words, "the proxy "+p.address)...)
			if strings.Contains(o.out, "another") {
				t.Errorf("the password was printed:\n%s", o.out)
			}
			if n := len(p.asked()); n != tt.asked {
				t.Errorf("the proxy was asked %q", p.asked())
			}
			s.stop()
			if all := s.requests(&s.gitlab); len(all) != 0 {
				t.Errorf("GitLab saw %+v", all)
			}
		})
	}
}

// A proxy that can't be reached.
func TestNoSuchProxy(t *testing.T) {
	t.Parallel()
	network := ownNetwork(t)
	s := newSite(t)
	s.host = network.IP.String()
	s.start()
	nobody := deadAddress(t, network.IP)
	o := s.fetch(map[string]string{"HTTPS_PROXY": "http://" + login() + "@" + nobody}, "--retries", "1")
	s.fails(o, 6, "the proxy "+nobody+" cannot be reached", "connection refused", "(after 2 attempts)", "HTTPS_PROXY is its address", "NO_PROXY="+s.host)
	s.stop()
	if all := s.requests(&s.gitlab); len(all) != 0 {
		t.Errorf("GitLab saw %+v", all)
	}
}

// The user must fix an invalid proxy address. net/http would connect without the proxy.
func TestProxyAddressThatIsNone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start()
	for _, value := range []string{"http://ci:" + proxyPassword + "%zz@proxy.example.com:3128", "ci:" + proxyPassword + "%zz@proxy.example.com:3128", "ftp://proxy.example.com"} {
		s.fails(s.fetch(map[string]string{"HTTPS_PROXY": value}), 2, "HTTPS_PROXY is not the address of a proxy", "http://proxy.example.com:3128")
	}
}
