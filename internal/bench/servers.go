//go:build linux

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/internal/bench/slownet"
)

// servers are nginx as GitLab and as object storage, which has a port of its own, plain and
// over TLS, and the proxies in front of them.
type servers struct {
	urls  map[string]string // network → root
	ca    string            // PEM file
	log   string            // nginx's access log: status and bytes of each request to storage
	nginx int               // its process ID
	close func()
}

// serve starts nginx: the address of every archive redirects to object storage, as on
// most instances, and object storage has the one archive.
func serve(ctx context.Context, dir, file string) (*servers, error) {
	ports, err := freePorts(ctx, 4)
	if err != nil {
		return nil, err
	}
	gitlab, storage := ports[:2], ports[2:] // plain, and with TLS
	s := &servers{ca: filepath.Join(dir, "ca.pem"), log: filepath.Join(dir, "access.log")}
	key := filepath.Join(dir, "key.pem")
	if err := certificate(s.ca, key); err != nil {
		return nil, err
	}
	proxies, err := pathsTo(ctx, gitlab[0], storage[0])
	if err != nil {
		return nil, err
	}
	roots := []string{gitlab[0], gitlab[1], proxies[0].Addr().String(), proxies[1].Addr().String()}
	redirects := ""
	for n, to := range []string{storage[0], storage[1], proxies[2].Addr().String(), proxies[3].Addr().String()} {
		redirects += roots[n] + " " + to + "; "
	}
	conf := filepath.Join(dir, "nginx.conf")
	text := strings.NewReplacer("DIR", dir, "FILE", file, "REDIRECTS", redirects,
		"GITLAB_PLAIN", gitlab[0], "GITLAB_SECURE", gitlab[1], "STORAGE_PLAIN", storage[0], "STORAGE_SECURE", storage[1]).Replace(nginxConf)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return nil, err
	}
	nginx := exec.CommandContext(ctx, "nginx", "-c", conf)
	nginx.Stderr = os.Stderr
	if err := nginx.Start(); err != nil {
		return nil, err
	}
	s.nginx = nginx.Process.Pid
	s.urls = map[string]string{"loop": "http://" + roots[0], "tls": "https://" + roots[1], "rtt": "http://" + roots[2], "lim": "http://" + roots[3]}
	s.close = func() {
		for _, p := range proxies {
			_ = p.Close()
		}
		_ = nginx.Process.Signal(os.Interrupt)
		_ = nginx.Wait() // a signal ends it
	}
	return s, reachable(ctx, gitlab[0])
}

// pathsTo starts the proxies in front of GitLab and of its storage: for each, one that
// is far away, and one that limits every connection.
func pathsTo(ctx context.Context, servers ...string) (proxies []net.Listener, err error) {
	for _, server := range servers {
		for _, path := range []*slownet.Path{{RTT: 20 * time.Millisecond}, {PerConnection: 100e6}} {
			p, err := path.Listen(ctx, server)
			if err != nil {
				return nil, err
			}
			proxies = append(proxies, p)
		}
	}
	return proxies, nil
}

const nginxConf = `
daemon off; worker_processes 1; pid DIR/pid; error_log DIR/error.log;
events { worker_connections 256; }
http {
  log_format b '$status $body_bytes_sent $bytes_sent';
  sendfile on; tcp_nopush on;
  ssl_certificate DIR/ca.pem; ssl_certificate_key DIR/key.pem;
  map $http_host $storage { REDIRECTS }
  client_body_temp_path DIR/t1; proxy_temp_path DIR/t2; fastcgi_temp_path DIR/t3; uwsgi_temp_path DIR/t4; scgi_temp_path DIR/t5;
  server {
    listen GITLAB_PLAIN;
    listen GITLAB_SECURE ssl;
    access_log off;
    location / { return 302 $scheme://$storage/artifacts.zip?X-Amz-Signature=0123; }
  }
  server {
    listen STORAGE_PLAIN;
    listen STORAGE_SECURE ssl;
    access_log DIR/access.log b;
    location = /artifacts.zip { alias FILE; }
  }
}
`

// cpu returns the CPU time of nginx's workers so far.
func (s *servers) cpu() (time.Duration, error) {
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", s.nginx, s.nginx))
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, pid := range strings.Fields(string(children)) {
		text, err := os.ReadFile("/proc/" + pid + "/schedstat")
		if err != nil {
			return 0, err
		}
		var ran int64
		if _, err := fmt.Sscan(string(text), &ran); err != nil {
			return 0, err
		}
		sum += time.Duration(ran)
	}
	return sum, nil
}

// Ports of servers are below those that Linux gives to connections and to listeners on port
// 0, or one of them could take a port before nginx does:
// https://docs.kernel.org/networking/ip-sysctl.html (ip_local_port_range).
const (
	firstPort = 20_000
	lastPort  = 32_000
)

// freePorts returns addresses on which nothing listens.
func freePorts(ctx context.Context, n int) ([]string, error) {
	var all []string
	for tries := 0; len(all) < n; tries++ {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprint("127.0.0.1:", firstPort+mathrand.IntN(lastPort-firstPort)))
		if err != nil && tries < 100*n {
			continue // somebody else has it
		}
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }() // it was only reserved
		all = append(all, l.Addr().String())
	}
	return all, nil
}

func reachable(ctx context.Context, addr string) error {
	for range 100 {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			return conn.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("nginx does not answer at %s", addr)
}

// certificate creates a self-signed certificate for 127.0.0.1.
func certificate(certFile, keyFile string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}), 0o600)
}
