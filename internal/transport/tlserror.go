package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// TLSError reports that no secure connection came about. It is never repaired by
// repeating the request.
type TLSError struct {
	Host string // host and port, of the server or of a proxy
	What string // what is wrong
	Next string // what to do next
	Err  error  // what net/http said; may be nil
}

// Error implements error.
func (e *TLSError) Error() string { return e.What }

// Hint says what to do next.
func (e *TLSError) Hint() string { return e.Next }

// Unwrap gives what net/http said.
func (e *TLSError) Unwrap() error { return e.Err }

// peer is who a connection was meant for.
type peer struct {
	name    string // for people
	address string // host and port
	gitlab  bool   // GitLab itself
	shown   bool   // there is a client certificate for GitLab
	proxy   string // the proxy on the way; may be empty
}

// tlsError explains err, or returns nil if it has nothing to do with TLS.
func tlsError(p peer, err error) error {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return outOfTime(p, invalid, err)
	}
	if other, ok := errors.AsType[x509.HostnameError](err); ok {
		return otherName(p, other, err)
	}
	if unknown, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return unknownAuthority(p, unknown, err)
	}
	if broken, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return &TLSError{p.address, fmt.Sprintf("the certificate of %s is no good: %v", p.name, broken.Err), askOwner(p), err}
	}
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok && string(record.RecordHeader[:]) == "HTTP/" {
		return &TLSError{p.address, p.name + " speaks plain HTTP, and was asked by https", "is the port right? An address with http:// sends the token readable to everybody on the way", err}
	}
	if said, ok := errors.AsType[*net.OpError](err); ok && said.Op == "remote error" {
		return alert(p, said.Err.Error(), err)
	}
	if strings.Contains(err.Error(), "tls: server selected unsupported protocol version") {
		return tooOld(p, err)
	}
	return nil
}

func askOwner(p peer) string { return "whoever runs " + p.name + " has to mend it" }

// outOfTime is about a certificate that is too old or too new, its own or that of
// an authority. Anything else that makes it invalid is told as it is.
func outOfTime(p peer, e x509.CertificateInvalidError, err error) error {
	whose := "the certificate of " + p.name
	if e.Cert != nil && e.Cert.IsCA {
		whose = fmt.Sprintf("the certificate of the authority (%s) behind that of %s", e.Cert.Subject.CommonName, p.name)
	}
	if e.Reason != x509.Expired || e.Cert == nil {
		return &TLSError{p.address, fmt.Sprintf("%s is no good: %v", whose, e), askOwner(p), err}
	}
	now := time.Now()
	if now.Before(e.Cert.NotBefore) {
		return &TLSError{
			p.address, fmt.Sprintf("%s is not valid before %s, and here it is %s", whose, stamp(e.Cert.NotBefore), stamp(now)),
			"check this machine's clock", err,
		}
	}
	return &TLSError{
		p.address, fmt.Sprintf("%s expired on %s", whose, stamp(e.Cert.NotAfter)),
		fmt.Sprintf("whoever runs %s has to renew it; if it is not yet %s, check this machine's clock", p.name, stamp(now)), err,
	}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func otherName(p peer, e x509.HostnameError, err error) error {
	names := make([]string, 0, len(e.Certificate.DNSNames)+len(e.Certificate.IPAddresses))
	for _, name := range e.Certificate.DNSNames {
		if net.ParseIP(name) != nil {
			name += " (as a name, which does not count)"
		}
		names = append(names, name)
	}
	for _, ip := range e.Certificate.IPAddresses {
		names = append(names, ip.String())
	}
	const shown = 5
	whose := "for " + strings.Join(names[:min(shown, len(names))], ", ")
	switch {
	case len(names) == 0:
		whose = fmt.Sprintf("for no name at all (its common name, %q, does not count)", e.Certificate.Subject.CommonName)
	case len(names) > shown:
		whose += fmt.Sprintf(" and %d more", len(names)-shown)
	}
	next := fmt.Sprintf("ask for one of its names, or whoever runs %s has to get it a certificate with that name", p.name)
	if len(names) == 0 {
		next = fmt.Sprintf("whoever runs %s has to get it a certificate with its name among the subject alternative names", p.name)
	}
	return &TLSError{p.address, fmt.Sprintf("the certificate of %s is not for %s but %s", p.name, hostname(p.address), whose), next, err}
}

func unknownAuthority(p peer, e x509.UnknownAuthorityError, err error) error {
	what := fmt.Sprintf("the certificate of %s is signed by an unknown authority", p.name)
	if e.Cert != nil && e.Cert.Issuer.String() != "" {
		what += fmt.Sprintf(" (%s)", e.Cert.Issuer)
	}
	next := "if you trust that one, --ca-file names a file with its certificate; in a job CI_SERVER_TLS_CA_FILE does"
	if p.proxy != "" {
		next += "; it may be that of the proxy " + p.proxy + ", if that reads what passes"
	}
	return &TLSError{p.address, what, next, err}
}

func tooOld(p peer, err error) error {
	return &TLSError{p.address, p.name + " speaks neither TLS 1.2 nor anything newer", "what is older is not safe; whoever runs " + p.name + " has to allow a newer version", err}
}

// The alerts by which a server refuses (RFC 8446 §6.2). crypto/tls has no names
// for them, but words.
const (
	alertHandshakeFailure tls.AlertError = 40
	alertBadCertificate   tls.AlertError = 42
	alertUnsupported      tls.AlertError = 43
	alertRevoked          tls.AlertError = 44
	alertExpired          tls.AlertError = 45
	alertUnknown          tls.AlertError = 46
	alertUnknownCA        tls.AlertError = 48
	alertAccessDenied     tls.AlertError = 49
	alertVersion          tls.AlertError = 70
	alertRequired         tls.AlertError = 116
)

func alert(p peer, said string, err error) error {
	switch said {
	case alertVersion.Error():
		return tooOld(p, err)
	case alertRequired.Error():
		return clientCertificate(p, err)
	case alertBadCertificate.Error(), alertUnsupported.Error(), alertRevoked.Error(), alertExpired.Error(),
		alertUnknown.Error(), alertUnknownCA.Error(), alertAccessDenied.Error():
		// Before TLS 1.3 there was no alert for a certificate that is missing.
		e := clientCertificate(p, err)
		e.What += " (" + said + ")"
		return e
	case alertHandshakeFailure.Error():
		next := "it may want a client certificate (--cert-file, --key-file), or speak ciphers that are too old"
		if !p.gitlab {
			next = "it may want a client certificate, which is shown to GitLab alone, or speak ciphers that are too old"
		}
		return &TLSError{p.address, p.name + " refuses the handshake", next, err}
	}
	return nil // it may have come in the middle of an answer
}

// clientCertificate is about the one that a server wants. The program keeps back
// one whose authority is none of those that the server names.
func clientCertificate(p peer, err error) *TLSError {
	wants := p.name + " wants a client certificate"
	switch {
	case !p.gitlab:
		return &TLSError{p.address, wants, "that is shown to GitLab alone; whoever runs " + p.name + " has to do without", err}
	case p.shown:
		return &TLSError{p.address, p.name + " does not accept the client certificate", "is that of --cert-file (in a job CI_SERVER_TLS_CERT_FILE) still valid, and signed by whom the server trusts?", err}
	}
	return &TLSError{p.address, wants, "--cert-file and --key-file name one and its key; in a job CI_SERVER_TLS_CERT_FILE and CI_SERVER_TLS_KEY_FILE do", err}
}
