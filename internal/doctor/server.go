package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/smallfile"
	"gitlab.com/artifetch/artifetch/internal/transport"
)

// server checks the connection to GitLab, the token, and its permissions.
func (d *doctor) server(ctx context.Context) {
	d.proxy()
	start := time.Now()
	hello, err := d.API.Greet(ctx)
	took := time.Since(start).Round(time.Millisecond)
	if err != nil {
		refusal, answered := errors.AsType[*gitlab.Error](err)
		switch {
		case !answered:
			d.failedBy("server", err, Unreachable)
		case passes(refusal):
			d.failed("server", err, later)
		default:
			d.failedBy("server", err, NotGitLab)
		}
		return
	}
	version := hello.Version
	if version == "" && d.Config.InCI {
		version = d.Config.ServerVersion
	}
	of := "a GitLab whose version this token may not know"
	if version != "" {
		of = "GitLab " + version
	}
	d.ok("server", fmt.Sprintf("%s answers in %v: %s", d.Config.APIURL, took, of))
	d.tls(ctx, hello.TLS)
	d.clock(hello.Date)
	if d.token(ctx, hello.Refused) {
		d.rights(ctx)
	}
	d.version(version)
}

// later is what to do about temporary problems.
const later = "the server has trouble, or too much to do: try again later"

// passes reports whether an answer is temporary, and says nothing about the token or the
// address.
func passes(refusal *gitlab.Error) bool {
	return refusal.StatusCode >= http.StatusInternalServerError || refusal.StatusCode == http.StatusTooManyRequests
}

func (d *doctor) proxy() {
	proxy := transport.Proxy(d.Config.APIURL)
	d.ok("proxy", cmp.Or(proxy, "none")+" for "+d.Config.APIURL.Host)
}

// nearlyOver is when a certificate should have been renewed.
const nearlyOver = 14 * 24 * time.Hour

func (d *doctor) tls(ctx context.Context, state *tls.ConnectionState) {
	if state == nil {
		d.limited("tls", "none", "token and files travel in the clear: use an address with https")
		return
	}
	leaf := state.PeerCertificates[0]
	root, from := leaf, "the system's list"
	if len(state.VerifiedChains) > 0 {
		chain := state.VerifiedChains[0]
		root = chain[len(chain)-1]
	}
	if slices.ContainsFunc(certificatesIn(ctx, d.Config.TLS.CAFile), root.Equal) {
		from = d.Config.TLS.CAFile
	}
	left := time.Until(leaf.NotAfter)
	text := fmt.Sprintf("%s; certificate of %s until %s (%d days), by %s; trusted: %s, from %s", tls.VersionName(state.Version),
		nameOf(leaf), leaf.NotAfter.UTC().Format(time.DateOnly), int(left.Hours()/24), leaf.Issuer.CommonName, root.Subject.CommonName, from)
	if left < nearlyOver {
		d.limited("tls", text, "renew it soon")
		return
	}
	d.ok("tls", text)
}

func nameOf(cert *x509.Certificate) string {
	if len(cert.DNSNames) > 0 {
		return strings.Join(cert.DNSNames, ", ")
	}
	return cert.Subject.CommonName
}

// certificatesIn reads a PEM file that has been read successfully before.
func certificatesIn(ctx context.Context, file string) []*x509.Certificate {
	rest, err := smallfile.Read(ctx, file, transport.MaxPEM)
	if err != nil {
		return nil
	}
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return certs
		}
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
			certs = append(certs, cert)
		}
	}
}

// maxSkew is the tolerable difference between clocks: object storage's signed URLs are
// valid for some minutes.
const maxSkew = 2 * time.Minute

func (d *doctor) clock(server time.Time) {
	skew := time.Since(server).Round(time.Second)
	switch {
	case server.IsZero():
		d.skipped("clock", "the server does not send its time")
	case skew.Abs() > maxSkew:
		d.limited("clock", fmt.Sprintf("%v away from the server's", skew.Abs()), "set it: certificates and signed addresses have times")
	default:
		d.ok("clock", fmt.Sprintf("within %v of the server's", max(skew.Abs(), time.Second)))
	}
}

// sinceVersion is what older servers can't do.
var sinceVersion = []struct {
	version, what string
	ofJobTokens   bool
}{
	{"18.5", "job tokens list jobs", true},
	{"18.8", "ls and cat use GitLab's own list of files, and single files come without range requests", false},
	{"18.10", "GitLab finds the newest pipeline that has a job, and jobs take inputs when they are played or retried", false},
	{"19.2", "job tokens list pipelines", true},
	{"19.4", "GitLab serves reports", false},
}

func (d *doctor) version(version string) {
	if !gitlab.Older("0.0", version) { // it isn't a version
		return
	}
	var missing []string
	for _, since := range sinceVersion {
		if gitlab.Older(version, since.version) && (!since.ofJobTokens || d.Config.Token.Kind == env.JobToken) {
			missing = append(missing, since.what+" from "+since.version+" on")
		}
	}
	if len(missing) > 0 {
		d.limited("version", version+" lacks some of what newer ones have", strings.Join(missing, "; "))
		return
	}
	d.ok("version", version+" has everything that artifetch can use")
}
