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
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/internal/bench/slownet"
)

// servers are nginx, plain and over TLS, and the proxies in front of it.
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
	ports, err := freePorts(ctx, 2)
	if err != nil {
		return nil, err
	}
	plain, secure := ports[0], ports[1]
	s := &servers{ca: filepath.Join(dir, "ca.pem"), log: filepath.Join(dir, "access.log")}
	key := filepath.Join(dir, "key.pem")
	if err := certificate(s.ca, key); err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "nginx.conf")
	text := strings.NewReplacer("DIR", dir, "FILE", file, "PLAIN", plain, "SECURE", secure).Replace(nginxConf)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return nil, err
	}
	nginx := exec.CommandContext(ctx, "nginx", "-c", conf)
	nginx.Stderr = os.Stderr
	if err := nginx.Start(); err != nil {
		return nil, err
	}
	s.nginx = nginx.Process.Pid
	rtt, err := (&slownet.Path{RTT: 20 * time.Millisecond}).Listen(ctx, plain)
	if err != nil {
		return nil, err
	}
	lim, err := (&slownet.Path{PerConnection: 100e6}).Listen(ctx, plain)
	if err != nil {
		return nil, err
	}
	s.urls = map[string]string{"loop": "http://" + plain, "tls": "https://" + secure, "rtt": "http://" + rtt.Addr().String(), "lim": "http://" + lim.Addr().String()}
	s.close = func() {
		_ = rtt.Close()
		_ = lim.Close()
		_ = nginx.Process.Signal(os.Interrupt)
		_ = nginx.Wait() // a signal ends it
	}
	return s, reachable(ctx, plain)
}

const nginxConf = `
daemon off; worker_processes 1; pid DIR/pid; error_log DIR/error.log;
events { worker_connections 256; }
http {
  log_format b '$status $body_bytes_sent $bytes_sent';
  sendfile on; tcp_nopush on;
  client_body_temp_path DIR/t1; proxy_temp_path DIR/t2; fastcgi_temp_path DIR/t3; uwsgi_temp_path DIR/t4; scgi_temp_path DIR/t5;
  server {
    listen PLAIN;
    listen SECURE ssl;
    ssl_certificate DIR/ca.pem; ssl_certificate_key DIR/key.pem;
    access_log off;
    location = /storage/artifacts.zip { alias FILE; access_log DIR/access.log b; }
    location / { return 302 $scheme://$http_host/storage/artifacts.zip?X-Amz-Signature=0123; }
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

// freePorts returns addresses on which nothing listens.
func freePorts(ctx context.Context, n int) ([]string, error) {
	var all []string
	for range n {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
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
