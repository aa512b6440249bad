package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"gitlab.com/artifetch/artifetch/internal/smallfile"
)

// MaxPEM is the maximum size of a PEM file, in bytes: some fifty times that of a
// system's certificates.
const MaxPEM = 16 << 20

// Roots returns the system's certificate authorities and those of a PEM file:
// what a runner puts into CI_SERVER_TLS_CA_FILE may be GitLab's chain alone,
// and object storage has another.
func Roots(pemFile string) (*x509.CertPool, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	pem, err := smallfile.Read(pemFile, MaxPEM)
	if err != nil {
		return nil, err
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no PEM certificate", pemFile)
	}
	return roots, nil
}

// ClientCertificate reads a certificate with its key.
func ClientCertificate(certFile, keyFile string) (*tls.Certificate, error) {
	if certFile == "" || keyFile == "" {
		return nil, errors.New("a client certificate needs both a certificate and a key")
	}
	cert, err := smallfile.Read(certFile, MaxPEM)
	if err != nil {
		return nil, err
	}
	key, err := smallfile.Read(keyFile, MaxPEM)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	return &pair, nil
}
