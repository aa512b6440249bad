package network

import (
	"crypto/x509"

	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// The CA in CI_SERVER_TLS_CA_FILE or --ca-file is trusted for GitLab and for storage.
func TestOwnAuthority(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"variable", "flag"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.start()
			if how == "flag" {
				s.arrives(s.fetch(map[string]string{"CI_SERVER_TLS_CA_FILE": ""}, "--ca-file", s.ca.file))
				return
			}
			s.arrives(s.fetch(nil))
		})
	}
}

// distrusted is a server that the program doesn't trust.
type distrusted struct {
	name  string
	site  func(*site)
	env   map[string]string
	by    func(*site) *face // the server in the message
	words []string
}

func distrustedServers(t *testing.T) []distrusted {
	t.Helper()
	other := newAuthority(t, "Another Root")
	past, future := time.Now().Add(-48*time.Hour).UTC(), time.Now().Add(48*time.Hour).UTC()
	stamp := func(t time.Time) string { return t.Format("2006-01-02 15:04:05 UTC") }
	gitlab, storage := func(s *site) *face { return &s.gitlab }, func(s *site) *face { return &s.storage }
	cert := func(c *x509.Certificate, change func(*x509.Certificate)) *x509.Certificate { change(c); return c }
	expired := func(c *x509.Certificate) { c.NotAfter = past; c.NotBefore = past.Add(-time.Hour) }
	return []distrusted{
		{
			name: "unknown authority", by: gitlab, env: map[string]string{"CI_SERVER_TLS_CA_FILE": ""},
			words: []string{"is signed by an unknown authority (CN=Example Root)", "--ca-file", "CI_SERVER_TLS_CA_FILE"},
		},
		{
			name: "unknown authority of storage", by: storage, site: func(s *site) { s.storage.ca = other },
			words: []string{"is signed by an unknown authority (CN=Another Root)", "--ca-file", "CI_SERVER_TLS_CA_FILE"},
		},
		{
			name: "expired", by: gitlab, site: func(s *site) { s.gitlab.cert = cert(certificate(s.host), expired) },
			words: []string{"expired on " + stamp(past), "renew"},
		},
		{
			name: "expired, of storage", by: storage, site: func(s *site) { s.storage.cert = cert(certificate(s.host), expired) },
			words: []string{"expired on " + stamp(past), "renew"},
		},
		{
			name: "not yet valid", by: gitlab,
			site: func(s *site) {
				s.gitlab.cert = cert(certificate(s.host), func(c *x509.Certificate) { c.NotBefore, c.NotAfter = future, future.Add(time.Hour) })
			},
			words: []string{"is not valid before " + stamp(future), "check this machine's clock"},
		},
		{
			name: "another name", by: gitlab, site: func(s *site) { s.gitlab.cert = certificate("gitlab.example.com") },
			words: []string{"is not for 127.0.0.1 but for gitlab.example.com", "one of its names"},
		},
		{
			name: "a common name alone", by: gitlab,
			site: func(s *site) {
				s.gitlab.cert = cert(certificate(s.host), func(c *x509.Certificate) { c.IPAddresses = nil; c.Subject.CommonName = "127.0.0.1" })
			},
			words: []string{`for no name at all (its common name, "127.0.0.1", doesn't count)`, "subject alternative names"},
		},
		{
			name: "TLS 1.1 at most", by: gitlab,
			site:  func(s *site) { s.gitlab.config = "ssl_protocols TLSv1 TLSv1.1; ssl_ciphers DEFAULT@SECLEVEL=0;" },
			words: []string{"doesn't support TLS 1.2 or later", "allow a newer version"},
		},
	}
}

// Problems with a certificate are reported once, with the host, and not retried.
func TestDistrustedServers(t *testing.T) {
	t.Parallel()
	for _, tt := range distrustedServers(t) {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			if tt.site != nil {
				tt.site(s)
			}
			s.start()
			o := s.fetchByID(tt.env, "--download-mode", "direct")
			s.fails(o, 6, append(tt.words, tt.by(s).address)...)
			s.stop()
			most := 1
			if tt.by(s) == &s.storage {
				most = 4 // the first answer, and the other connections for 3 MiB
			}
			if n := s.handshakes(tt.by(s)); n < 1 || n > most {
				t.Errorf("%d handshakes failed, want 1 to %d:\n%s", n, most, s.log(tt.by(s).name+".error"))
			}
		})
	}
}

// Only GitLab gets the client certificate; storage doesn't, even if it requests one.
func TestMutualTLS(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.gitlab.config = "ssl_verify_client on; ssl_client_certificate " + s.ca.file + ";"
	s.storage.config = "ssl_verify_client optional_no_ca;"
	s.start()
	cert, key := s.ca.sign(t, certificate("client"))
	s.arrives(s.fetch(map[string]string{"CI_SERVER_TLS_CERT_FILE": cert, "CI_SERVER_TLS_KEY_FILE": key}))
	asked := s.requests(&s.gitlab)
	for _, w := range asked {
		if w.Verify != "SUCCESS" || w.Subject != "CN=certificate of client" {
			t.Errorf("GitLab saw %+v", w)
		}
	}
	if storage := s.requests(&s.storage); len(asked) == 0 || storage[0].Verify != "NONE" {
		t.Errorf("%d requests; storage saw %+v", len(asked), storage)
	}
}

// Without the certificate, or with a wrong one, nginx answers 400, which isn't an error
// of GitLab's.
func TestMutualTLSRefused(t *testing.T) {
	t.Parallel()
	want := func(ca *authority) string {
		return "ssl_verify_client on; ssl_client_certificate " + ca.file + ";"
	}
	tests := []struct {
		name   string
		mine   bool // a client certificate is given
		config func(s *site, other *authority)
		by     func(*site) *face
		words  []string
	}{
		{
			"none", false, func(s *site, _ *authority) { s.gitlab.config = want(s.ca) }, func(s *site) *face { return &s.gitlab },
			[]string{"requires a client certificate", "--cert-file", "--key-file", "CI_SERVER_TLS_CERT_FILE"},
		},
		{
			"of another authority", true, func(s *site, other *authority) { s.gitlab.config = want(other) }, func(s *site) *face { return &s.gitlab },
			[]string{"doesn't accept the client certificate", "--cert-file"},
		},
		{
			"by storage", true, func(s *site, _ *authority) { s.storage.config = want(s.ca) }, func(s *site) *face { return &s.storage },
			[]string{"requires a client certificate", "sent to GitLab only"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			tt.config(s, newAuthority(t, "Another Root"))
			s.start()
			env := map[string]string{}
			if tt.mine {
				env["CI_SERVER_TLS_CERT_FILE"], env["CI_SERVER_TLS_KEY_FILE"] = s.ca.sign(t, certificate("client"))
			}
			s.fails(s.fetchByID(env, "--download-mode", "direct"), 6, append(tt.words, tt.by(s).address)...)
			s.stop()
			all, most := s.requests(tt.by(s)), 1
			if tt.by(s) == &s.storage {
				most = 4 // the first connection, and the others for 3 MiB
			}
			if n := len(all); n < 1 || n > most || slices.ContainsFunc(all, func(w wire) bool { return w.Status != 400 }) {
				t.Errorf("it saw %+v", all)
			}
		})
	}
}

// http where https is needed and the reverse, on either server, and a redirect from one
// to the other.
func TestSchemes(t *testing.T) {
	t.Parallel()
	t.Run("http to a port of https", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		s.start()
		s.fails(s.fetchByID(map[string]string{"CI_API_V4_URL": "http://" + s.gitlab.address + "/api/v4"}), 6, s.gitlab.address+" uses TLS", "https://")
		s.stop()
		if all := s.requests(&s.gitlab); len(all) != 1 {
			t.Errorf("it saw %+v", all)
		}
	})
	t.Run("https to a port of http", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		s.gitlab.plain, s.storage.plain = true, true
		s.start()
		s.fails(s.fetchByID(map[string]string{"CI_API_V4_URL": "https://" + s.gitlab.address + "/api/v4"}), 6, s.gitlab.address+" doesn't use TLS", "is the port right?")
		s.stop()
		if all := s.requests(&s.gitlab); len(all) != 1 || all[0].Status != 400 {
			t.Errorf("it saw %+v", all)
		}
	})
	t.Run("redirect", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		s.storage.plain = true
		s.start()
		s.fails(s.fetchByID(nil), 6, "redirect from https to http refused", s.gitlab.address, s.storage.address, "https address")
		s.stop()
		if all := s.requests(&s.storage); len(all) != 0 {
			t.Errorf("storage saw %+v", all)
		}
		if n := count(s.requests(&s.gitlab), 302); n != 1 {
			t.Errorf("%d redirects, want 1", n)
		}
	})
}

// IPv6 addresses are in brackets in a URL, but not in a certificate.
func TestIPv6(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no IPv6 loopback: %v", err) // in CI too: a container may have none
	}
	_ = l.Close()
	s := newSite(t)
	s.host = "::1"
	s.start()
	s.arrives(s.fetch(nil))
}

// If an instance is below a path, so are its pages, and the token isn't sent above it.
func TestRelativeRoot(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.root = "/gitlab"
	s.start()
	pages := s.run(nil, "jobs", "--limit", "0", "--format", "jsonl")
	if lines := strings.Count(pages.out, "\n"); pages.code != 0 || lines < 20 {
		t.Errorf("code %d, %d jobs: %s", pages.code, lines, pages.out)
	}
	s.arrives(s.fetch(nil))
	paged := 0
	for _, w := range s.requests(&s.gitlab) {
		if !strings.HasPrefix(w.Request, "GET /gitlab/api/v4/") || w.Status >= 400 {
			t.Errorf("GitLab saw %+v", w)
		}
		if strings.Contains(w.Request, "page=2") || strings.Contains(w.Request, "cursor=4") {
			paged++
		}
	}
	if paged == 0 {
		t.Error("no second page was asked for")
	}
}

func TestNginxAsStorage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, config string
		args         []string
		most         int64 // maximum of received bytes
		status       int   // of the answers
	}{
		{"a part, by ranges", "", []string{"job.txt"}, 1 << 20, 206},
		{"all, by ranges", "", nil, 5 << 20, 206},
		{"a part, without ranges", "max_ranges 0;", []string{"job.txt"}, 8 << 20, 200},
		// Three other connections send requests before the first answer shows that ranges
		// aren't supported.
		{"all, without ranges", "max_ranges 0;", nil, 14 << 20, 200},
		{"compression on", "gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; gzip_http_version 1.0;", nil, 5 << 20, 206},
		{"compression on, without ranges", "max_ranges 0; gzip on; gzip_types *; gzip_min_length 1; gzip_http_version 1.0;", nil, 14 << 20, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.storage.config = tt.config
			s.start()
			s.arrives(s.fetch(nil, tt.args...))
			var sum int64
			for _, w := range s.requests(&s.storage) {
				sum += w.Bytes
				if w.Status != tt.status || w.Encoding != "" {
					t.Errorf("it saw %+v", w)
				}
			}
			if sum > tt.most {
				t.Errorf("%d bytes came, want at most %d: %+v", sum, tt.most, s.requests(&s.storage))
			}
			if _, err := os.Stat(filepath.Join(s.ws, "noise")); (err == nil) != (tt.args == nil) {
				t.Errorf("noise: %v", err)
			}
		})
	}
}

// The storage has a shorter archive than GitLab lists: nginx answers 416 to the range of
// its end. The message names both sizes, and nothing is extracted.
func TestNginxAnswers416(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	write(t, filepath.Join(s.dir, "bucket", "artifacts", "1001", "artifacts.zip"), gitlabtest.Zip(gitlabtest.File{Name: "job.txt", Content: "build 1001\n"}))
	s.start()
	s.fails(s.fetch(nil, "job.txt"), 7, "sends 163 bytes", "listed 3146011")
	if all := s.requests(&s.storage); count(all, 416) == 0 {
		t.Errorf("storage saw %+v", all)
	}
}

// If a server compresses although the request forbids it, the message says so.
func TestStorageThatInsistsOnCompression(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.storage.config = "gzip_static always;"
	write(t, filepath.Join(s.dir, "bucket", "artifacts", "1001", "artifacts.zip.gz"), []byte("no matter what"))
	s.start()
	s.fails(s.fetch(nil), 6, "Content-Encoding", "gzip", s.storage.address)
}
