package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/transport"
	"gitlab.com/artifetch/artifetch/resolve"
)

// A right is something that the token should be allowed to do in the project.
type right struct {
	check      string
	permission string // for a fine-grained token
	may        string // the consequence if it is allowed
	mayNot     string // and if not
	since      string // the first version that allows it for job tokens
}

var (
	listJobs = right{"jobs", "Job: Read", "may be listed: what is fetched is pinned to one job",
		"what is fetched by ref is the server's choice, and it is not known which job that is", "18.5"}
	listPipelines = right{"pipelines", "Pipeline: Read", "may be listed: pipelines are found by ID, commit, merge request, and among older ones",
		"children and older pipelines are looked for in the list of jobs", "19.2"}
	readArtifacts = right{"artifacts", "Job Artifact: Read", "may be read", "nothing can be fetched", ""}
)

// rights checks what the token may do in the project.
func (d *doctor) rights(ctx context.Context) {
	if d.Project == "" {
		d.limitedBy("jobs", "no project to look at", NoProject)
		return
	}
	project := gitlab.Project(d.Project)
	if !d.right(listJobs, first(d.API.ProjectJobs(ctx, project, gitlab.JobsOptions{PerPage: 1}))) ||
		!d.right(listPipelines, first(d.API.Pipelines(ctx, project, gitlab.PipelinesOptions{}))) {
		return
	}
	if d.Config.Token.Kind == env.JobToken && d.own && d.Config.JobID != 0 {
		d.licence(ctx, project)
	}
	d.artifacts(ctx, project)
}

func first[T any](list iter.Seq2[T, error]) error {
	for _, err := range list {
		return err
	}
	return nil
}

// right returns false if the other checks of the project would be pointless.
func (d *doctor) right(r right, err error) bool {
	refusal, refused := errors.AsType[*gitlab.Error](err)
	switch {
	case err == nil:
		d.ok(r.check, d.permitted(r)+r.may)
	case !refused, passes(refusal):
		d.failed(r.check, err, later)
		return false
	case d.shut(r.check, refusal):
		d.failed(r.check, d.Resolver.Meaning(err, d.Project), "")
		return false
	default:
		mayNot := r.mayNot
		if d.Config.Token.Kind == env.JobToken {
			mayNot += " (job tokens may list " + r.check + " since GitLab " + r.since + ")"
		}
		d.limited(r.check, fmt.Sprintf("may not be listed (%d)", refusal.StatusCode), cmp.Or(refusal.Hint(), mayNot))
	}
	return true
}

// permitted names the permission that a fine-grained token has.
func (d *doctor) permitted(r right) string {
	if d.granular {
		return r.permission + ": "
	}
	return ""
}

// shut reports whether the project doesn't exist or the token can't access it at all. If
// GitLab doesn't accept a job token, it treats the request as anonymous: it can't list
// jobs (401) and doesn't find the project (404).
func (d *doctor) shut(check string, refusal *gitlab.Error) bool {
	isJob := d.Config.Token.Kind == env.JobToken
	if refusal.ProjectNotFound() {
		return !isJob || check == listJobs.check
	}
	return isJob && refusal.StatusCode == http.StatusForbidden && strings.Contains(refusal.Message, "not allowed from")
}

// licence requests the archive of the running job, which doesn't exist yet: GitLab says
// so, unless it refuses the project because it lacks a license.
func (d *doctor) licence(ctx context.Context, project gitlab.Project) {
	err := d.API.ArchiveExists(ctx, project, d.Config.JobID)
	refusal, refused := errors.AsType[*gitlab.Error](err)
	switch {
	case err != nil && !refused, refused && passes(refusal):
		d.failed("licence", err, later)
		return
	case refused && refusal.ProjectNotFound():
		d.limitedBy("licence", "job tokens are refused on the artifacts API, as without Premium", NoLicence)
		return
	}
	d.ok("licence", "job tokens may fetch artifacts")
}

// newestJobs is how many jobs to search for an archive.
const newestJobs = 20

// artifacts requests the first byte of an archive of one of the newest jobs. That also
// shows whether the object storage that GitLab redirects to is reachable. Without an
// archive or a list of jobs, GitLab still says whether the token may read one.
func (d *doctor) artifacts(ctx context.Context, project gitlab.Project) {
	id := d.newestArchive(ctx, project)
	host, err := d.API.Storage(ctx, d.API.ArchiveURL(project, id))
	refusal, answered := errors.AsType[*gitlab.Error](err)
	switch {
	case answered && refusal.Lack != nil, errors.Is(err, gitlab.ErrForbidden) && !refusal.FromStorage:
		d.failed(readArtifacts.check, err, readArtifacts.mayNot)
		return
	case answered && refusal.ProjectNotFound(), errors.Is(err, gitlab.ErrUnauthorized) && !refusal.FromStorage:
		if d.Config.Token.Kind == env.JobToken && !d.own {
			d.limitedBy("licence", "job tokens are refused on the artifacts API, as without Premium", NoLicence)
		}
		return // otherwise the license or the list of pipelines has shown it
	}
	d.ok(readArtifacts.check, d.permitted(readArtifacts)+readArtifacts.may)
	if id == 0 {
		d.skipped("storage", fmt.Sprintf("not tried: none of the newest %d jobs that can be listed has an archive", newestJobs))
		return
	}
	d.storage(ctx, resolve.Artifact{Project: string(project), JobID: id}, host, err)
}

// newestArchive returns the ID of the newest job with an archive. It returns 0 if none of
// the newest jobs has one, or they can't be listed.
func (d *doctor) newestArchive(ctx context.Context, project gitlab.Project) (job int64) {
	rows := 0
	for job, err := range d.API.ProjectJobs(ctx, project, gitlab.JobsOptions{Scope: []string{"success"}, PerPage: newestJobs}) {
		if rows++; err != nil || rows > newestJobs {
			break
		}
		if job.ArtifactsFile != nil {
			return job.ID
		}
	}
	return 0
}

// storage checks whether the host that GitLab redirects to is reachable. An empty host
// means that there was no redirect.
func (d *doctor) storage(ctx context.Context, a resolve.Artifact, host string, err error) {
	switch _, answered := errors.AsType[*gitlab.Error](err); {
	case err == nil && host == "":
		d.ok("storage", "GitLab sends archives itself")
		return
	case err == nil:
		d.ok("storage", "archives come from "+host+d.through(host))
		return
	case answered || host == "":
		d.failed("storage", err, later)
		return
	case transport.Misdirected(err):
		d.failed("storage", err, "")
		return
	}
	for _, address := range d.Resolver.Proxied(a) {
		if _, instead := d.API.Storage(ctx, address); instead == nil {
			d.limited("storage", fmt.Sprintf("%s cannot be reached: %s", host, transport.Words(err)), "GitLab sends archives itself instead; that is slower, and costs it more")
			return
		}
	}
	d.failed("storage", fmt.Errorf("%s cannot be reached: %w", host, err), "let this machine reach it; GitLab sends archives itself since 19.4, if its administrator allows that download mode")
}

// through names the proxy for a host, if GitLab uses another one.
func (d *doctor) through(host string) string {
	there := transport.Proxy(&url.URL{Scheme: d.Config.APIURL.Scheme, Host: host})
	if there == transport.Proxy(d.Config.APIURL) {
		return ""
	}
	return ", through the proxy " + cmp.Or(there, "none")
}
