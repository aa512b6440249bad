// Package doctor finds out whether artifetch can work here: environment, workspace,
// proxy, server, TLS, clocks, token, and the token's permissions in a project.
//
//	doctor.go  Examine: the order of the checks, and their summary; the environment
//	place.go   where files will go: space, links, the cache
//	server.go  the connection to GitLab: proxy, answer, certificate, clock, version
//	token.go   the token: whether it is valid, and its scopes
//	rights.go  the token's permissions in the project; the object storage
//
// A failed check doesn't end the others, unless they depend on it: without a response
// from the server, the token can't be checked, and a refused token has no permissions.
// The caller prints the findings, and has its own remedy for each [Problem] with its
// settings.
package doctor

import (
	"context"
	"fmt"
	"strings"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// State is the result of a check.
type State string

// The states.
const (
	OK      State = "ok"
	Limited State = "limited" // works, with restrictions
	Failed  State = "failed"
	Skipped State = "skipped" // there was nothing to check
)

// Problem is a problem for which the caller has a remedy.
type Problem string

// The problems.
const (
	OtherServer Problem = "other server" // the job's server isn't used
	ClosedDir   Problem = "closed dir"   // the files can't be written
	LittleRoom  Problem = "little room"  // on the disk where the files will go
	NoLinks     Problem = "no links"     // on that file system
	Unreachable Problem = "unreachable"  // no answer came
	NotGitLab   Problem = "not GitLab"   // something else answers
	NoToken     Problem = "no token"
	NoProject   Problem = "no project"
	NoLicence   Problem = "no licence" // job tokens can't fetch artifacts by name

	ClosedCache       Problem = "closed cache" // archives can't be kept there
	LittleRoomInCache Problem = "little room in the cache"
)

// Finding is the result of one check.
type Finding struct {
	Check   string // environment, workspace, links, cache, proxy, server, tls, clock, token, scopes, jobs, pipelines, licence, artifacts, storage or version
	State   State
	Text    string  // empty if Err says it
	Remedy  string  // what to do; empty if everything is fine, or if Problem is set
	Problem Problem // may be empty
	Err     error   // why it failed; its own hint is better than the Remedy
}

// Subject is what to examine.
type Subject struct {
	Config   env.Config
	API      *gitlab.Client
	Resolver *resolve.Resolver
	Project  string             // ID or path; empty means the job's own
	Dir      string             // where files would go; it may not exist yet
	CacheDir string             // empty means none
	Size     func(int64) string // formats a number of bytes
}

// Examine runs all checks. A check that ctx interrupts has failed.
func Examine(ctx context.Context, s Subject) []Finding {
	own := s.Project == "" || s.Project == s.Config.Project || s.Project == s.Config.ProjectPath
	if own {
		s.Project = s.Config.Project
	}
	d := &doctor{Subject: s, own: own}
	d.environment()
	d.workspace()
	d.cache()
	d.server(ctx)
	return d.findings
}

// doctor collects findings.
type doctor struct {
	Subject
	own      bool // the project is the job's
	granular bool // the token has permissions instead of scopes
	findings []Finding
}

func (d *doctor) ok(check, text string) {
	d.findings = append(d.findings, Finding{Check: check, State: OK, Text: text})
}

func (d *doctor) skipped(check, why string) {
	d.findings = append(d.findings, Finding{Check: check, State: Skipped, Text: why})
}

func (d *doctor) limited(check, text, remedy string) {
	d.findings = append(d.findings, Finding{Check: check, State: Limited, Text: text, Remedy: remedy})
}

func (d *doctor) limitedBy(check, text string, p Problem) {
	d.findings = append(d.findings, Finding{Check: check, State: Limited, Text: text, Problem: p})
}

func (d *doctor) failed(check string, err error, remedy string) {
	f := Failure(check, err)
	f.Remedy = remedy
	d.findings = append(d.findings, f)
}

func (d *doctor) failedBy(check string, err error, p Problem) {
	f := Failure(check, err)
	f.Problem = p
	d.findings = append(d.findings, f)
}

// Failure returns the finding for a check that ended with an error.
func Failure(check string, err error) Finding {
	return Finding{Check: check, State: Failed, Err: err}
}

func (d *doctor) environment() {
	cfg := d.Config
	switch {
	case cfg.InCI && cfg.Project != "":
		d.ok("environment", fmt.Sprintf("job %d of project %s (%s), pipeline %d, ref %s", cfg.JobID, cfg.Project, known(cfg.ProjectPath), cfg.PipelineID, known(cfg.Ref)))
	case cfg.InCI:
		d.limitedBy("environment", "a GitLab job, which says nothing about "+cfg.APIURL.Host, OtherServer)
	case cfg.Remote != "":
		d.ok("environment", fmt.Sprintf("not a GitLab job; project %s of the remote %s: commands need a ref and a token", cfg.Project, cfg.Remote))
	default:
		d.ok("environment", "not a GitLab job: commands need a project, a ref and a token")
	}
}

// Sum summarizes the findings in one sentence.
func Sum(findings []Finding) string {
	named := map[State][]string{}
	for _, f := range findings {
		named[f.State] = append(named[f.State], f.Check)
	}
	failed, limited := strings.Join(named[Failed], ", "), strings.Join(named[Limited], ", ")
	switch {
	case failed != "":
		return "artifetch cannot work here until this is fixed: " + failed + "."
	case limited != "":
		return "artifetch can work here, within limits: " + limited + "."
	}
	return "artifetch can work here: nothing is wrong."
}

func known(text string) string {
	if text == "" {
		return "(unknown)"
	}
	return text
}
