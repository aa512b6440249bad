package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/redact"
	"gitlab.com/artifetch/artifetch/resolve"
)

// token tells whether the token is alive. Refused is what the server says to it when
// it is asked what it is, which no job token may know.
func (d *doctor) token(ctx context.Context, refused *gitlab.Error) (alive bool) {
	t := d.Config.Token
	name := fmt.Sprintf("%s token from %s", t.Kind, t.Source)
	switch {
	case t.Kind == env.NoToken:
		d.limitedBy("token", "none", NoToken)
		return true
	case t.Kind == env.JobToken:
		job, err := d.API.CurrentJob(ctx)
		if err != nil {
			remedy := "a job token is good while its job runs; a copy of it is not"
			if !errors.Is(err, gitlab.ErrUnauthorized) {
				remedy = later
			}
			d.failed("token", fmt.Errorf("%s: %w", name, err), remedy)
			return false
		}
		d.ok("token", fmt.Sprintf("%s: alive, of job %d (%s)", name, job.ID, job.Name))
		return true
	case refused == nil:
		d.ok("token", name+": alive")
		return true
	case refused.Lack != nil && len(refused.Lack.Permissions) > 0:
		d.ok("token", name+": alive, fine-grained; without "+strings.Join(refused.Lack.Permissions, ", "))
		return true
	case errors.Is(refused, gitlab.ErrForbidden):
		d.limited("token", name+": alive; "+refused.Message, "it needs the scope read_api; for jobs, keep and delete the scope api")
		return true
	}
	d.failed("token", fmt.Errorf("%s: %w", name, refused), "it has expired, was revoked, or is of another server")
	return false
}

// rights tells what the token may do in the project.
func (d *doctor) rights(ctx context.Context) {
	if d.Project == "" {
		d.limitedBy("jobs", "no project to look at", NoProject)
		return
	}
	project := gitlab.Project(d.Project)
	if !d.right("jobs", first(d.API.ProjectJobs(ctx, project, gitlab.JobsOptions{PerPage: 1})),
		"may be listed: what is fetched is pinned to one job", "what is fetched by ref is the server's choice, which job is not known (job tokens may list from GitLab 18.5 on)") {
		return
	}
	d.right("pipelines", first(d.API.Pipelines(ctx, project, gitlab.PipelinesOptions{})),
		"may be listed: pipelines are found by id, commit, merge request, and among older ones", "children and older pipelines are looked for in the list of jobs (job tokens may list pipelines from GitLab 19.2 on)")
	if d.Config.Token.Kind == env.JobToken && d.own && d.Config.JobID != 0 {
		d.licence(ctx, project)
	}
	d.storage(ctx, project)
}

// storage finds out whether the object storage can be reached that GitLab redirects to,
// by the archive of one of the newest jobs. Without a redirect there is nothing to find.
func (d *doctor) storage(ctx context.Context, project gitlab.Project) {
	rows := 0
	for job, err := range d.API.ProjectJobs(ctx, project, gitlab.JobsOptions{Scope: []string{"success"}, PerPage: newestJobs}) {
		if rows++; err != nil || rows > newestJobs {
			return
		}
		if job.ArtifactsFile != nil {
			d.storageOf(ctx, project, job.ID)
			return
		}
	}
}

// newestJobs is how many jobs are looked at for an archive.
const newestJobs = 20

func (d *doctor) storageOf(ctx context.Context, project gitlab.Project, job int64) {
	host, err := d.API.Storage(ctx, d.API.ArchiveURL(project, job))
	switch _, answered := errors.AsType[*gitlab.Error](err); {
	case host == "":
		return
	case err == nil:
		d.ok("storage", "archives come from "+host)
		return
	case answered:
		d.failed("storage", err, later)
		return
	}
	for _, address := range d.Resolver.Proxied(resolve.Artifact{Project: string(project), JobID: job}) {
		if _, instead := d.API.Storage(ctx, address); instead == nil {
			d.limited("storage", fmt.Sprintf("%s cannot be reached: %v", host, redact.Error(err)), "GitLab sends archives itself instead; that is slower, and costs it more")
			return
		}
	}
	d.failed("storage", fmt.Errorf("%s cannot be reached: %w", host, err), "let this machine reach it; GitLab sends archives itself since 19.4, if its administrator allows that download mode")
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
		d.ok(check, may)
	case !refused, passes(refusal):
		d.failed(check, err, later)
		return false
	case d.shut(check, refusal):
		d.failed(check, d.Resolver.Meaning(err, d.Project), "")
		return false
	default:
		d.limited(check, fmt.Sprintf("may not be listed (%d)", refusal.StatusCode), cmp.Or(refusal.Hint(), mayNot))
	}
	return true
}

// shut reports whether the project is closed to the token altogether, or not there.
// If GitLab doesn't accept a job token, the request is anonymous: it may not list jobs (401) and does
// not see the project of pipelines (404).
func (d *doctor) shut(check string, refusal *gitlab.Error) bool {
	isJob := d.Config.Token.Kind == env.JobToken
	if refusal.ProjectNotFound() {
		return !isJob || check == "jobs"
	}
	return isJob && refusal.StatusCode == http.StatusForbidden && strings.Contains(refusal.Message, "not allowed from")
}

// licence asks for the archive of the running job, which it has not got yet: GitLab
// says so, unless it denies the project for want of a licence.
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
