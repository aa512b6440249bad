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

// TLSError reports that a secure connection failed. Retrying never helps.
type TLSError struct {
	Host string // host and port, of the server or of a proxy
	What string // what is wrong
	Next string // what to do next
	Err  error  // net/http's error; may be nil

	Cause TLSCause // for callers that know more about what to do
	Proxy string   // for CauseAuthority: the proxy on the way; may be empty
}

// TLSCause is the cause of a [TLSError].
type TLSCause string

// The causes that a caller can do something about.
const (
	CauseOther         TLSCause = ""
	CauseAuthority     TLSCause = "authority"      // an authority that isn't trusted signed the server's certificate
	CauseHandshake     TLSCause = "handshake"      // GitLab refuses, perhaps because it requires a client certificate
	CauseNoCertificate TLSCause = "no certificate" // GitLab requires a client certificate
	CauseCertificate   TLSCause = "certificate"    // GitLab doesn't accept the client certificate
)

// Error implements error.
func (e *TLSError) Error() string { return e.What }

// Hint says what to do next.
func (e *TLSError) Hint() string { return e.Next }

// Unwrap returns net/http's error.
func (e *TLSError) Unwrap() error { return e.Err }

// peer is the server or proxy that a connection was for.
type peer struct {
	name    string // for people
	address string // host and port
	gitlab  bool   // GitLab itself
	shown   bool   // a client certificate for GitLab is configured
	proxy   string // the proxy on the way; may be empty
}

// tlsError explains err, or returns nil if it isn't about TLS.
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
		return &TLSError{Host: p.address, What: fmt.Sprintf("the certificate of %s is invalid: %v", p.name, broken.Err), Next: askOperator(p), Err: err}
	}
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok && string(record.RecordHeader[:]) == "HTTP/" {
		return &TLSError{Host: p.address, What: p.name + " doesn't use TLS, but its address says https", Next: "is the port right? With http://, others on the network could read the token", Err: err}
	}
	if said, ok := errors.AsType[*net.OpError](err); ok && said.Op == "remote error" {
		return alert(p, said.Err.Error(), err)
	}
	if strings.Contains(err.Error(), "tls: server selected unsupported protocol version") {
		return tooOld(p, err)
	}
	return nil
}

func askOperator(p peer) string { return "ask the operator of " + p.name + " to fix it" }

// outOfTime explains a certificate that has expired or isn't valid yet, the server's or
// an authority's. It returns other reasons unchanged.
func outOfTime(p peer, e x509.CertificateInvalidError, err error) error {
	whose := "the certificate of " + p.name
	if e.Cert != nil && e.Cert.IsCA {
		whose = fmt.Sprintf("the certificate of the authority (%s) behind that of %s", e.Cert.Subject.CommonName, p.name)
	}
	if e.Reason != x509.Expired || e.Cert == nil {
		return &TLSError{Host: p.address, What: fmt.Sprintf("%s is invalid: %v", whose, e), Next: askOperator(p), Err: err}
	}
	now := time.Now()
	if now.Before(e.Cert.NotBefore) {
		return &TLSError{
			Host: p.address, What: fmt.Sprintf("%s is not valid before %s, and here it is %s", whose, stamp(e.Cert.NotBefore), stamp(now)),
			Next: "check this machine's clock", Err: err,
		}
	}
	return &TLSError{
		Host: p.address, What: fmt.Sprintf("%s expired on %s", whose, stamp(e.Cert.NotAfter)),
		Next: fmt.Sprintf("ask the operator of %s to renew it; if it isn't %s yet, check this machine's clock", p.name, stamp(now)), Err: err,
	}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func otherName(p peer, e x509.HostnameError, err error) error {
	names := make([]string, 0, len(e.Certificate.DNSNames)+len(e.Certificate.IPAddresses))
	for _, name := range e.Certificate.DNSNames {
		if net.ParseIP(name) != nil {
			name += " (as a name, which doesn't count)"
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
		whose = fmt.Sprintf("for no name at all (its common name, %q, doesn't count)", e.Certificate.Subject.CommonName)
	case len(names) > shown:
		whose += fmt.Sprintf(" and %d more", len(names)-shown)
	}
	next := fmt.Sprintf("use one of its names, or ask the operator of %s for a certificate with that name", p.name)
	if len(names) == 0 {
		next = fmt.Sprintf("ask the operator of %s for a certificate with its name among the subject alternative names", p.name)
	}
	return &TLSError{Host: p.address, What: fmt.Sprintf("the certificate of %s is not for %s but %s", p.name, hostname(p.address), whose), Next: next, Err: err}
}

func unknownAuthority(p peer, e x509.UnknownAuthorityError, err error) error {
	what := fmt.Sprintf("the certificate of %s is signed by an unknown authority", p.name)
	if e.Cert != nil && e.Cert.Issuer.String() != "" {
		what += fmt.Sprintf(" (%s)", e.Cert.Issuer)
	}
	return &TLSError{
		Host: p.address, What: what, Err: err, Cause: CauseAuthority, Proxy: p.proxy,
		Next: "if you trust it, add its certificate to those that are trusted: in a job, CI_SERVER_TLS_CA_FILE names a file",
	}
}

func tooOld(p peer, err error) error {
	return &TLSError{Host: p.address, What: p.name + " doesn't support TLS 1.2 or later", Next: "older versions aren't safe: ask the operator of " + p.name + " to allow a newer version", Err: err}
}

// The alerts of a server that refuses the connection (RFC 8446 §6.2). crypto/tls doesn't
// export them.
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
		// Before TLS 1.3 there was no alert for a missing certificate.
		e := clientCertificate(p, err)
		e.What += " (" + said + ")"
		return e
	case alertHandshakeFailure.Error():
		e := &TLSError{Host: p.address, What: p.name + " refuses the handshake", Err: err}
		if e.Next = "it may require a client certificate, or ciphers that are too old"; p.gitlab {
			e.Cause = CauseHandshake
		} else {
			e.Next = "it may require a client certificate, which is sent to GitLab only, or ciphers that are too old"
		}
		return e
	}
	return nil // it may occur in the middle of an answer
}

// clientCertificate explains a server that requires one. crypto/tls doesn't send a
// certificate whose authority isn't among those that the server accepts.
func clientCertificate(p peer, err error) *TLSError {
	e := &TLSError{Host: p.address, What: p.name + " requires a client certificate", Err: err}
	switch {
	case !p.gitlab:
		e.Next = "a client certificate is sent to GitLab only; ask the operator of " + p.name + " not to require one"
	case p.shown:
		e.What, e.Cause = p.name+" doesn't accept the client certificate", CauseCertificate
		e.Next = "check that it hasn't expired, and that the server trusts its authority"
	default:
		e.Cause = CauseNoCertificate
		e.Next = "in a job, CI_SERVER_TLS_CERT_FILE and CI_SERVER_TLS_KEY_FILE name one and its key"
	}
	return e
}
