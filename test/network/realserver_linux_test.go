package network

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"

	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/need"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// Real servers for the tests of the network: nginx in front of the simulated GitLab,
// nginx as object storage, tinyproxy, and their certificates.

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // PEM
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().AddDate(-9, 0, 0), NotAfter: time.Now().AddDate(9, 0, 0), KeyUsage: x509.KeyUsageCertSign,
	}}
	a.file, _ = a.sign(t, a.cert)
	return a
}

// certificate is the certificate of a server at host, or of a client.
func certificate(host string) *x509.Certificate {
	c := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "certificate of " + host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		c.IPAddresses = []net.IP{ip}
	} else {
		c.DNSNames = []string{host}
	}
	return c
}

// sign creates a certificate and its key. The authority signs its own first.
func (a *authority) sign(t *testing.T, c *x509.Certificate) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if a.key == nil {
		a.key = key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}))
	return certFile, keyFile
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// site is a GitLab behind nginx, and nginx as object storage. Set its fields before
// [site.start].
type site struct {
	t       *testing.T
	dir, ws string
	host    string // of both; they have different ports
	ca      *authority
	world   *gitlabtest.World
	root    string // relative URL root of GitLab

	gitlab, storage face

	simulated *gitlabtest.Running
	nginx     *harness.Daemon
}

// face is one of the two servers of a site.
type face struct {
	name    string
	plain   bool              // http
	ca      *authority        // nil means the site's
	cert    *x509.Certificate // nil means a valid one
	config  string            // additional nginx directives
	address string            // host and port, after the start
}

func (f *face) url() string {
	if f.plain {
		return "http://" + f.address
	}
	return "https://" + f.address
}

// newSite is on loopback with https and its own authority. The archive of job 1001 is
// large enough for ranges, and can't be compressed.
func newSite(t *testing.T) *site {
	t.Helper()
	need.Tools(t, "nginx")
	s := &site{t: t, dir: t.TempDir(), ws: t.TempDir(), host: "127.0.0.1", ca: newAuthority(t, "Example Root"), world: gitlabtest.Fixture()}
	s.gitlab.name, s.storage.name = "gitlab", "storage"
	var noise strings.Builder
	_, _ = io.CopyN(&noise, rand.Reader, 3<<20)
	s.world.Projects[0].Pipelines[1].Jobs[0].Archive = gitlabtest.Zip(
		gitlabtest.File{Name: "job.txt", Content: "build 1001\n"},
		gitlabtest.File{Name: "noise", Content: noise.String(), Store: true},
	)
	write(t, filepath.Join(s.ws, "job.txt"), []byte("from before\n"))
	return s
}

const nginxConf = `
daemon off; master_process off; pid DIR/pid; error_log DIR/error.log info;
events { worker_connections 256; }
http {
  log_format wire escape=json '{"status":$status,"bytes":$body_bytes_sent,"request":"$request","range":"$http_range","token":"$http_job_token$http_private_token$http_authorization$http_proxy_authorization$http_cookie","referer":"$http_referer","verify":"$ssl_client_verify","subject":"$ssl_client_s_dn","encoding":"$sent_http_content_encoding"}';
  client_body_temp_path DIR/t1; proxy_temp_path DIR/t2; fastcgi_temp_path DIR/t3; uwsgi_temp_path DIR/t4; scgi_temp_path DIR/t5;
  server {
    listen GITLAB; access_log DIR/gitlab.log wire; error_log DIR/gitlab.error info;
    GITLAB_MORE
    location / { proxy_pass BEHIND; proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_buffering off; }
  }
  server {
    listen STORAGE; access_log DIR/storage.log wire; error_log DIR/storage.error info;
    root DIR/bucket;
    STORAGE_MORE
  }
}
`

// start starts everything. It tries again if another program has taken a port in the
// meantime.
func (s *site) start() {
	s.t.Helper()
	s.simulated = gitlabtest.Start(s.world, gitlabtest.Options{Mode: gitlabtest.ModeRedirect, RelativeRoot: s.root, PerPage: 3})
	s.t.Cleanup(s.simulated.Close)
	bucket := filepath.Join(s.dir, "bucket", "artifacts", "1001", "artifacts.zip")
	if _, err := os.Stat(bucket); err != nil {
		write(s.t, bucket, s.world.Projects[0].Pipelines[1].Jobs[0].Archive)
	}
	gitlab, storage := s.certified(&s.gitlab), s.certified(&s.storage)
	for range 5 {
		s.gitlab.address, s.storage.address = harness.FreeAddress(s.t, s.host), harness.FreeAddress(s.t, s.host)
		text := strings.NewReplacer("DIR", s.dir, "BEHIND", strings.TrimSuffix(s.simulated.URL, s.root), "GITLAB_MORE", gitlab, "STORAGE_MORE", storage,
			"GITLAB", s.listen(&s.gitlab), "STORAGE", s.listen(&s.storage)).Replace(nginxConf)
		write(s.t, filepath.Join(s.dir, "nginx.conf"), []byte(text))
		s.nginx = harness.Begin(s.t, "nginx", "-c", filepath.Join(s.dir, "nginx.conf"), "-e", filepath.Join(s.dir, "start.error"))
		if s.nginx.Await(func() bool { _, err := os.Stat(filepath.Join(s.dir, "pid")); return err == nil }) {
			s.simulated.SetStorageURL(s.storage.url())
			return
		}
	}
	s.t.Fatalf("nginx does not start: %s", s.nginx.Output())
}

func (s *site) listen(f *face) string {
	if f.plain {
		return f.address
	}
	return f.address + " ssl"
}

// certified creates a server's certificate.
func (s *site) certified(f *face) string {
	if f.plain {
		return f.config
	}
	ca, cert := f.ca, f.cert
	if ca == nil {
		ca = s.ca
	}
	if cert == nil {
		cert = certificate(s.host)
	}
	certFile, keyFile := ca.sign(s.t, cert)
	return fmt.Sprintf("ssl_certificate %s; ssl_certificate_key %s;\n%s", certFile, keyFile, f.config)
}

// wire is a request in nginx's log.
type wire struct {
	Status                                   int
	Bytes                                    int64
	Request, Range, Token, Referer, Encoding string
	Verify, Subject                          string // of a client certificate
}

// stop stops nginx, so its logs are complete.
func (s *site) stop() { s.nginx.Stop(syscall.SIGQUIT) }

// requests returns a server's requests, once the site has stopped.
func (s *site) requests(f *face) []wire {
	s.t.Helper()
	var all []wire
	for line := range strings.Lines(s.log(f.name + ".log")) {
		var w wire
		if err := json.Unmarshal([]byte(line), &w); err != nil {
			s.t.Fatalf("%v: %s", err, line)
		}
		all = append(all, w)
	}
	return all
}

// handshakes returns the number of failed handshakes, once the site has stopped.
func (s *site) handshakes(f *face) int {
	return strings.Count(s.log(f.name+".error"), "while SSL handshaking")
}

func (s *site) log(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// outcome is the result of a run of the program.
type outcome struct {
	code int
	out  string // all output
	last string // the error message
}

// fetch runs the program as a job does, with -v to print more. It must not print secrets.
func (s *site) fetch(env map[string]string, args ...string) outcome {
	s.t.Helper()
	return s.run(env, append([]string{"fetch", "-v", "--ref", "main", "--job", "build"}, args...)...)
}

// fetchByID is fetch with one request at a time.
func (s *site) fetchByID(env map[string]string, args ...string) outcome {
	s.t.Helper()
	return s.run(env, append([]string{"fetch", "-v", "--job-id", "1001"}, args...)...)
}

func (s *site) run(env map[string]string, args ...string) outcome {
	s.t.Helper()
	vars := map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": s.dir, "TMPDIR": os.TempDir(), "GITLAB_CI": "true", "NO_COLOR": "1",
		"CI_API_V4_URL": s.gitlab.url() + s.root + "/api/v4", "CI_SERVER_URL": s.gitlab.url() + s.root, "CI_SERVER_TLS_CA_FILE": s.ca.file,
		"CI_PROJECT_ID": "1", "CI_PROJECT_PATH": "group/app", "CI_PROJECT_DIR": s.ws, "CI_COMMIT_REF_NAME": "main", "CI_DEFAULT_BRANCH": "main",
		"CI_JOB_TOKEN": gitlabtest.JobToken, "ARTIFETCH_SECRETS_DIR": filepath.Join(s.dir, "none"),
	}
	maps.Copy(vars, env)
	cmd := exec.CommandContext(s.t.Context(), "artifetch", args...)
	cmd.Env = []string{}
	for name, value := range vars {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	o := outcome{out: string(out)}
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		o.code = failed.ExitCode()
	} else if err != nil {
		s.t.Fatal(err)
	}
	if at := strings.LastIndex("\n"+o.out, "\nartifetch: "); at >= 0 {
		o.last = o.out[at:]
	}
	for _, secret := range append(harness.Secrets(), proxyPassword, base64.StdEncoding.EncodeToString([]byte("ci:"+proxyPassword)), signature) {
		if strings.Contains(strings.ReplaceAll(o.out, signature+"REDACTED", ""), secret) {
			s.t.Errorf("%q was printed:\n%s", secret, o.out)
		}
	}
	return o
}

// signature is the start of a signed URL's secret part.
const signature = "X-Amz-Signature="

// fails checks the outcome of a failure: the code, the words, and an unchanged workspace.
func (s *site) fails(o outcome, code int, words ...string) {
	s.t.Helper()
	if o.code != code {
		s.t.Errorf("exit code %d, want %d:\n%s", o.code, code, o.out)
	}
	for _, w := range words {
		if !strings.Contains(o.last, w) {
			s.t.Errorf("want %q in:\n%s", w, o.last)
		}
	}
	want := map[string]string{"": "drwxr-xr-x", "/job.txt": "-rw------- from before\n"}
	if diff := cmp.Diff(want, harness.Tree(s.t, s.ws)); diff != "" {
		s.t.Errorf("the workspace has changed: %s", diff)
	}
}

// arrives compares the workspace with the archive, and stops the site: storage must have
// been used, and must have got neither a token nor a client certificate.
func (s *site) arrives(o outcome) {
	s.t.Helper()
	if content, err := os.ReadFile(filepath.Join(s.ws, "job.txt")); o.code != 0 || err != nil || string(content) != "build 1001\n" {
		s.t.Fatalf("code %d, %q, %v:\n%s", o.code, content, err, o.out)
	}
	s.stop()
	asked := s.requests(&s.storage)
	if len(asked) == 0 {
		s.t.Error("storage was not asked")
	}
	for _, w := range asked {
		if w.Token != "" || w.Referer != "" || w.Subject != "" || (w.Verify != "" && w.Verify != "NONE") {
			s.t.Errorf("storage saw %+v", w)
		}
	}
	for _, w := range s.requests(&s.gitlab) {
		if w.Token != gitlabtest.JobToken { // and nothing else, such as a proxy's password
			s.t.Errorf("GitLab saw %+v", w)
		}
	}
}

// proxyPassword only has characters that tinyproxy accepts.
const proxyPassword = "s3cret.of-proxy"

// proxy is tinyproxy with a record of what clients sent.
type proxy struct {
	t       *testing.T
	dir     string
	address string
	daemon  *harness.Daemon

	mu    sync.Mutex
	wire  bytes.Buffer
	shown int // client certificates it got with TLS
}

// startProxy starts tinyproxy with additional configuration. All bytes from clients are
// recorded on the way, because its own log has no headers.
func startProxy(t *testing.T, host, config string) *proxy {
	t.Helper()
	need.Tools(t, "tinyproxy")
	p := &proxy{t: t, dir: t.TempDir()}
	for range 5 {
		behind := harness.FreeAddress(t, host)
		_, port, _ := net.SplitHostPort(behind)
		conf := fmt.Sprintf("Port %s\nListen %s\nLogFile \"%s/log\"\nLogLevel Info\nTimeout 60\nMaxClients 100\n%s\n", port, host, p.dir, config)
		write(t, filepath.Join(p.dir, "conf"), []byte(conf))
		p.daemon = harness.Begin(t, "tinyproxy", "-d", "-c", filepath.Join(p.dir, "conf"))
		if p.daemon.Await(func() bool { return strings.Contains(p.log(), "Accepting connections") }) {
			p.address = p.listen(host, behind, nil)
			return p
		}
	}
	t.Fatalf("tinyproxy does not start: %s%s", p.log(), p.daemon.Output())
	return nil
}

func (p *proxy) log() string {
	text, _ := os.ReadFile(filepath.Join(p.dir, "log")) // it doesn't exist at first
	return string(text)
}

// asked returns the request lines that the proxy got.
func (p *proxy) asked() []string {
	var lines []string
	for line := range strings.Lines(p.log()) {
		if _, request, ok := strings.Cut(line, "Request (file descriptor "); ok {
			_, request, _ = strings.Cut(request, "): ")
			lines = append(lines, strings.TrimSpace(request))
		}
	}
	return lines
}

// overTLS returns another address of the proxy, with https. It requests a client
// certificate.
func (p *proxy) overTLS(certFile, keyFile string) (address string) {
	p.t.Helper()
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		p.t.Fatal(err)
	}
	host, _, _ := net.SplitHostPort(p.address)
	return p.listen(host, p.address, &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert,
		VerifyConnection: func(state tls.ConnectionState) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.shown += len(state.PeerCertificates)
			return nil
		},
	})
}

// listen forwards connections from a new address.
func (p *proxy) listen(host, behind string, config *tls.Config) (address string) {
	p.t.Helper()
	l, err := new(net.ListenConfig).Listen(p.t.Context(), "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		p.t.Fatal(err)
	}
	address = l.Addr().String()
	if config != nil {
		l = tls.NewListener(l, config)
	}
	var relays sync.WaitGroup
	p.t.Cleanup(func() { _ = l.Close(); relays.Wait() })
	relays.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			relays.Go(func() { p.relay(client, behind) })
		}
	})
	return address
}

// relay forwards bytes in both directions until both have ended.
func (p *proxy) relay(client net.Conn, behind string) {
	defer func() { _ = client.Close() }()
	server, err := new(net.Dialer).Dial("tcp", behind)
	if err != nil {
		p.t.Error(err)
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(client, server) // either side may hang up
		_ = client.Close()
	})
	_, _ = io.Copy(server, io.TeeReader(client, p)) // likewise
	_ = server.Close()
	back.Wait()
}

// Write implements [io.Writer], for what clients send.
func (p *proxy) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wire.Write(b)
}

// received returns everything that clients have sent.
func (p *proxy) received() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wire.String()
}

// deadAddress reserves a port that nothing listens on.
func deadAddress(t *testing.T, ip net.IP) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) }) // nothing was written
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte(ip.To4())}); err != nil {
		t.Fatal(err)
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort(ip.String(), strconv.Itoa(bound.(*unix.SockaddrInet4).Port))
}

// ownNetwork returns an address of this machine that isn't loopback, with its network:
// net/http doesn't use proxies for loopback.
func ownNetwork(t *testing.T) *net.IPNet {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return n
		}
	}
	need.Skipf(t, "this machine has only loopback addresses, which never go through a proxy")
	return nil
}

// count returns the number of requests with a status.
func count(all []wire, status int) int {
	n := 0
	for _, w := range all {
		if w.Status == status {
			n++
		}
	}
	return n
}
