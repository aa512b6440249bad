package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/smallfile"
	"gitlab.com/artifetch/artifetch/internal/transport"
)

// server looks at the way to GitLab, at the token, and at what that may do.
func (d *doctor) server(ctx context.Context) {
	d.proxy()
	start := time.Now()
	hello, err := d.api.Greet(ctx)
	took := time.Since(start).Round(time.Millisecond)
	if err != nil {
		remedy := "is --server-url right, and can this machine reach it?"
		if refusal, ok := errors.AsType[*gitlab.Error](err); ok {
			remedy = "what answers is not GitLab's API: --server-url has to be the address of GitLab, with the path below which it lies"
			if passes(refusal) {
				remedy = later
			}
		}
		d.fail("server", err, remedy)
		return
	}
	version := hello.Version
	if version == "" && d.cfg.InCI {
		version = d.cfg.ServerVersion
	}
	of := "a GitLab whose version this token may not know"
	if version != "" {
		of = "GitLab " + version
	}
	d.find("server", healthy, fmt.Sprintf("%s answers in %v: %s", d.cfg.APIURL, took, of), "")
	d.tls(hello.TLS)
	d.clock(hello.Date)
	if d.token(ctx, hello.Refused) {
		d.rights(ctx)
	}
	d.version(version)
}

// later is what to do about what passes.
const later = "the server has trouble, or too much to do: try again later"

// passes reports whether an answer says nothing about the token or the address.
func passes(refusal *gitlab.Error) bool {
	return refusal.StatusCode >= http.StatusInternalServerError || refusal.StatusCode == http.StatusTooManyRequests
}

func (d *doctor) proxy() {
	proxy := transport.Proxy(d.cfg.APIURL)
	d.find("proxy", healthy, cmp.Or(proxy, "none")+" for "+d.cfg.APIURL.Host, "")
}

// nearlyOver is when a certificate should have been renewed.
const nearlyOver = 14 * 24 * time.Hour

func (d *doctor) tls(state *tls.ConnectionState) {
	if state == nil {
		d.find("tls", limited, "none", "token and files travel in the clear: use an address with https")
		return
	}
	leaf := state.PeerCertificates[0]
	root, from := leaf, "the system's list"
	if len(state.VerifiedChains) > 0 {
		chain := state.VerifiedChains[0]
		root = chain[len(chain)-1]
	}
	if slices.ContainsFunc(certificatesIn(d.cfg.TLS.CAFile), root.Equal) {
		from = d.cfg.TLS.CAFile
	}
	left := time.Until(leaf.NotAfter)
	text := fmt.Sprintf("%s; certificate of %s until %s (%d days), by %s; trusted: %s, from %s", tls.VersionName(state.Version),
		nameOf(leaf), leaf.NotAfter.UTC().Format(time.DateOnly), int(left.Hours()/24), leaf.Issuer.CommonName, root.Subject.CommonName, from)
	if left < nearlyOver {
		d.find("tls", limited, text, "it has to be renewed soon")
		return
	}
	d.find("tls", healthy, text, "")
}

func nameOf(cert *x509.Certificate) string {
	if len(cert.DNSNames) > 0 {
		return strings.Join(cert.DNSNames, ", ")
	}
	return cert.Subject.CommonName
}

// certificatesIn reads a PEM file that was read before.
func certificatesIn(file string) []*x509.Certificate {
	rest, err := smallfile.Read(file, transport.MaxPEM)
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

// maxSkew is by how much clocks may differ: signed addresses of object storage are
// good for some minutes.
const maxSkew = 2 * time.Minute

func (d *doctor) clock(server time.Time) {
	if skew := time.Since(server).Round(time.Second); !server.IsZero() && skew.Abs() > maxSkew {
		d.find("clock", limited, fmt.Sprintf("%v away from the server's", skew.Abs()), "set it: certificates and signed addresses have times")
	}
}

// token tells whether the token is alive. Refused is what the server says to it when
// it is asked what it is, which no job token may know.
func (d *doctor) token(ctx context.Context, refused *gitlab.Error) (alive bool) {
	t := d.cfg.Token
	name := fmt.Sprintf("%s token from %s", t.Kind, t.Source)
	switch {
	case t.Kind == env.NoToken:
		d.find("token", limited, "none", "public projects alone; in a job CI_JOB_TOKEN is there by itself, elsewhere set GITLAB_TOKEN or --token-file")
		return true
	case t.Kind == env.JobToken:
		job, err := d.api.CurrentJob(ctx)
		if err != nil {
			remedy := "a job token is good while its job runs; a copy of it is not"
			if !errors.Is(err, gitlab.ErrUnauthorized) {
				remedy = later
			}
			d.fail("token", fmt.Errorf("%s: %w", name, err), remedy)
			return false
		}
		d.find("token", healthy, fmt.Sprintf("%s: alive, of job %d (%s)", name, job.ID, job.Name), "")
		return true
	case refused == nil:
		d.find("token", healthy, name+": alive", "")
		return true
	case refused.Lack != nil && len(refused.Lack.Permissions) > 0:
		d.find("token", healthy, name+": alive, fine-grained; without "+strings.Join(refused.Lack.Permissions, ", "), "")
		return true
	case errors.Is(refused, gitlab.ErrForbidden):
		d.find("token", limited, name+": alive; "+refused.Message, "it needs the scope read_api; for jobs, keep and delete the scope api")
		return true
	}
	d.fail("token", fmt.Errorf("%s: %w", name, refused), "it has expired, was revoked, or is of another server")
	return false
}

// rights tells what the token may do in the project.
func (d *doctor) rights(ctx context.Context) {
	if d.project == "" {
		d.find("jobs", limited, "no project to look at", "-R names one")
		return
	}
	project := gitlab.Project(d.project)
	if !d.right("jobs", first(d.api.ProjectJobs(ctx, project, gitlab.JobsOptions{PerPage: 1})),
		"may be listed: what is fetched is pinned to one job", "what is fetched by ref is the server's choice, which job is not known (job tokens may list from GitLab 18.5 on)") {
		return
	}
	d.right("pipelines", first(d.api.Pipelines(ctx, project, gitlab.PipelinesOptions{})),
		"may be listed: --pipeline, --sha, --mr and --recent see all", "children and older pipelines are looked for in the list of jobs (job tokens may list pipelines from GitLab 19.2 on)")
	if d.cfg.Token.Kind == env.JobToken && d.own && d.cfg.JobID != 0 {
		d.licence(ctx, project)
	}
}

func first[T any](list iter.Seq2[T, error]) error {
	for _, err := range list {
		return err
	}
	return nil
}

// right reports false if nothing else about the project is worth asking.
func (d *doctor) right(check string, err error, may, mayNot string) bool {
	refusal, refused := errors.AsType[*gitlab.Error](err)
	switch {
	case err == nil:
		d.find(check, healthy, may, "")
	case !refused, passes(refusal):
		d.fail(check, err, later)
		return false
	case d.shut(check, refusal):
		d.fail(check, d.resolver.Meaning(err, d.project), "")
		return false
	default:
		d.find(check, limited, fmt.Sprintf("may not be listed (%d)", refusal.StatusCode), cmp.Or(refusal.Hint(), mayNot))
	}
	return true
}

// shut reports whether the project is closed to the token altogether, or not there.
// Where a job token is not taken, it is nobody's, who may not list jobs (401) and does
// not see the project of pipelines (404).
func (d *doctor) shut(check string, refusal *gitlab.Error) bool {
	isJob := d.cfg.Token.Kind == env.JobToken
	if refusal.ProjectNotFound() {
		return !isJob || check == "jobs"
	}
	return isJob && refusal.StatusCode == http.StatusForbidden && strings.Contains(refusal.Message, "not allowed from")
}

// licence asks for the archive of the running job, which it has not got yet: GitLab
// says so, unless it denies the project for want of a licence.
func (d *doctor) licence(ctx context.Context, project gitlab.Project) {
	err := d.api.ArchiveExists(ctx, project, d.cfg.JobID)
	refusal, refused := errors.AsType[*gitlab.Error](err)
	switch {
	case err != nil && !refused, refused && passes(refusal):
		d.fail("licence", err, later)
		return
	case refused && refusal.ProjectNotFound():
		d.find("licence", limited, "job tokens are refused on the artifacts API, as without Premium", "the runner's route is used, which needs the job's id: let the token list jobs, or give --job-id; or use GITLAB_TOKEN")
		return
	}
	d.find("licence", healthy, "job tokens may fetch artifacts", "")
}

// sinceVersion is what newer servers can do that older ones cannot.
var sinceVersion = []struct {
	major, minor int
	what         string
}{
	{18, 5, "job tokens list jobs"},
	{18, 8, "ls and cat by GitLab's own list (--server), single files where there are no ranges"},
	{18, 10, "--recent is answered by the server"},
	{19, 2, "job tokens list pipelines"},
}

func (d *doctor) version(version string) {
	var major, minor int
	if n, _ := fmt.Sscanf(version, "%d.%d", &major, &minor); n != 2 {
		return
	}
	var missing []string
	for _, v := range sinceVersion {
		if major < v.major || major == v.major && minor < v.minor {
			missing = append(missing, fmt.Sprintf("%s from %d.%d on", v.what, v.major, v.minor))
		}
	}
	if len(missing) > 0 {
		d.find("version", limited, version+" lacks some of what newer ones have", strings.Join(missing, "; "))
		return
	}
	d.find("version", healthy, version+" has all that this program can use", "")
}
