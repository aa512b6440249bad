package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/crypto/x509roots/fallback/bundle"

	"gitlab.com/artifetch/artifetch/internal/smallfile"
)

// MaxPEM is the maximum size of a PEM file, in bytes: about fifty times that of a
// system's certificates.
const MaxPEM = 16 << 20

// Roots are certificate authorities that may still be loading: parsing the system's takes
// longer than connecting. A nil *Roots means the system's, which aren't loading yet.
type Roots struct {
	pool   *x509.CertPool // nil means the system's
	loaded chan struct{}  // closed when they are complete
}

// builtIn makes crypto/x509 use built-in authorities if the system has none, as in a
// scratch image. The package fallback does the same at the start of every program, and
// takes a quarter of the time of one that only prints its version.
var builtIn = sync.OnceFunc(func() {
	if system, err := x509.SystemCertPool(); err == nil && !system.Equal(x509.NewCertPool()) {
		return
	}
	x509.SetFallbackRoots(bundled())
})

// bundled returns the built-in authorities.
func bundled() *x509.CertPool {
	pool := x509.NewCertPool()
	for root := range bundle.Roots() {
		cert, err := x509.ParseCertificate(root.Certificate)
		switch {
		case err != nil: // not ours to correct: the others may be enough
		case root.Constraint != nil:
			pool.AddCertWithConstraint(cert, root.Constraint)
		default:
			pool.AddCert(cert)
		}
	}
	return pool
}

// LoadRoots starts to load the system's certificate authorities, and returns them with
// those of a PEM file. Both are needed: a runner's CI_SERVER_TLS_CA_FILE may only contain
// GitLab's chain, and object storage has another. Without a file, it only loads the
// system's if soon says that there will be a handshake, and otherwise returns nil: parsing
// them takes longer than fetching a small archive.
func LoadRoots(ctx context.Context, pemFile string, soon bool) (*Roots, error) {
	if pemFile == "" {
		if !soon {
			return nil, nil
		}
		r := &Roots{loaded: make(chan struct{})}
		go func() {
			defer close(r.loaded)
			builtIn() // crypto/x509 keeps the system's for the handshake, which reports errors
		}()
		return r, nil
	}
	pem, err := smallfile.Read(ctx, pemFile, MaxPEM)
	if err != nil {
		return nil, err
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s contains no PEM certificate", pemFile)
	}
	r := &Roots{pool: x509.NewCertPool(), loaded: make(chan struct{})}
	go func() {
		defer close(r.loaded)
		builtIn()
		if system, err := x509.SystemCertPool(); err == nil {
			*r.pool = *system // TLS configurations already use the pool
		}
		r.pool.AppendCertsFromPEM(pem)
	}()
	return r, nil
}

// config returns a client's configuration. Its authorities are complete once wait has
// returned. Later connections to a server resume the session of an earlier one, which saves
// both sides the signatures.
func (r *Roots) config() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	if r != nil {
		config.RootCAs = r.pool
	}
	return config
}

// wait waits until the authorities are complete.
func (r *Roots) wait(ctx context.Context) error {
	if r == nil {
		return nil
	}
	select {
	case <-r.loaded:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ClientCertificate reads a certificate with its key.
func ClientCertificate(ctx context.Context, certFile, keyFile string) (*tls.Certificate, error) {
	if certFile == "" || keyFile == "" {
		return nil, errors.New("a client certificate needs both a certificate and a key")
	}
	cert, err := smallfile.Read(ctx, certFile, MaxPEM)
	if err != nil {
		return nil, err
	}
	key, err := smallfile.Read(ctx, keyFile, MaxPEM)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	return &pair, nil
}
