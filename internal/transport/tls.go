package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"gitlab.com/artifetch/artifetch/internal/smallfile"
)

// MaxPEM is the maximum size of a PEM file, in bytes: about fifty times that of a
// system's certificates.
const MaxPEM = 16 << 20

// Roots returns the system's certificate authorities and those of a PEM file. Both are
// needed: a runner's CI_SERVER_TLS_CA_FILE may contain only GitLab's chain, and object
// storage has another.
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
		return nil, fmt.Errorf("%s contains no PEM certificate", pemFile)
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
