package resolve

import (
	"context"
	"iter"
	"slices"
	"strconv"
	"time"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// notCISources are the pipeline sources that the server leaves out when it
// looks for a ref's newest pipeline (Enums::Ci::Pipeline.ci_sources): they are
// children, or made by tools.
var notCISources = []string{
	"webide", "parent_pipeline", "ondemand_dast_scan", "ondemand_dast_validation",
	"security_orchestration_policy", "container_registry_push", "duo_workflow", "pipeline_execution_policy_schedule",
}

// downloadable are the file types that make the server choose a job, whether or
// not an archive is among them (Ci::JobArtifact::DOWNLOADABLE_TYPES).
var downloadable = []string{
	"accessibility", "api_fuzzing", "archive", "cobertura", "jacoco", "codequality", "container_scanning", "dast",
	"dependency_scanning", "dotenv", "junit", "license_scanning", "lsif", "scip", "metrics", "performance",
	"browser_performance", "load_performance", "sast", "secret_detection", "requirements", "requirements_v2",
	"cluster_image_scanning", "cyclonedx", "sarif",
}

// fromRef takes the jobs from the newest successful pipeline of a ref, as the
// server would. Where that cannot be listed, the server decides.
func (r *Resolver) fromRef(ctx context.Context, q Query) ([]Artifact, error) {
	back, first := 0, error(&NotFoundError{Query: q, What: "successful pipeline"})
	for pipeline, err := range r.successful(ctx, q) {
		if err != nil {
			return r.unlisted(ctx, q, err)
		}
		found, err := r.inSuccessful(ctx, q, pipeline)
		switch {
		case err == nil:
			for i := range found {
				found[i].Back = back
			}
			return found, nil
		case Refused(err):
			return r.unlisted(ctx, q, err)
		case !mayBeElsewhere(err):
			return nil, err
		}
		if back++; back == 1 {
			first = err
		}
	}
	return nil, first
}

// successful lists the successful pipelines of a ref that count: the newest
// alone, or, with Recent, all that are young enough.
func (r *Resolver) successful(ctx context.Context, q Query) iter.Seq2[gitlab.Pipeline, error] {
	return func(yield func(gitlab.Pipeline, error) bool) {
		seen := 0
		for pipeline, err := range r.rungs().pipelines(ctx, q.Project, gitlab.PipelinesOptions{Ref: q.Ref, Status: "success"}) {
			if err == nil && !isCI(pipeline) {
				continue
			}
			if err == nil && q.Recent && tooOld(pipeline, q.MaxAge) {
				return
			}
			if seen++; !yield(pipeline, err) || !q.Recent || seen == maxRecent {
				return
			}
		}
	}
}

// maxRecent is how many pipelines are looked through, as by the server.
const maxRecent = 100

func tooOld(p gitlab.Pipeline, maxAge time.Duration) bool {
	return maxAge > 0 && p.CreatedAt != nil && time.Since(*p.CreatedAt) > maxAge
}

// mayBeElsewhere reports whether an older pipeline may have what this one lacks.
func mayBeElsewhere(err error) bool {
	return is[*NotFoundError](err) || is[*NoArchiveError](err) || is[*StateError](err)
}

// inSuccessful takes the jobs out of one pipeline and those below it.
func (r *Resolver) inSuccessful(ctx context.Context, q Query, pipeline gitlab.Pipeline) ([]Artifact, error) {
	p := newPicker(q, r.asServer(q, ByListing))
	if err := r.walk(ctx, node{project: q.Project, id: pipeline.ID}, p, true); err != nil {
		return nil, err
	}
	return r.picked(p)
}

// asServer judges jobs as the server does: a job counts if it has any file that
// can be downloaded, whatever its status.
func (r *Resolver) asServer(q Query, how Method) func(gitlab.Job) verdict {
	return func(job gitlab.Job) verdict {
		a, err := r.pinned(q, job, how)
		return verdict{artifact: a, err: err, skip: !serverTakes(job)}
	}
}

// unlisted asks the server for each job by name. Patterns need a list of names.
func (r *Resolver) unlisted(ctx context.Context, q Query, err error) ([]Artifact, error) {
	if !Refused(err) {
		return nil, r.explain(err, q, Artifact{})
	}
	if q.Globs() {
		return r.fromProject(ctx, q)
	}
	artifacts := make([]Artifact, len(q.Jobs))
	for i, job := range q.Jobs {
		artifacts[i] = Artifact{
			Project: q.Project, Ref: q.Ref, JobName: job, Found: ByRef,
			URL: r.API.RefArchiveURL(gitlab.Project(q.Project), q.Ref, job, q.Recent),
		}
	}
	return artifacts, nil
}

// serverTakes reports whether the job has any file that makes the server choose
// it: not only an archive does.
func serverTakes(job gitlab.Job) bool {
	return job.ArtifactsFile != nil || slices.ContainsFunc(job.Artifacts, func(f gitlab.ArtifactFile) bool {
		return slices.Contains(downloadable, f.FileType)
	})
}

// artifact describes a job that was listed.
func (r *Resolver) artifact(q Query, job gitlab.Job, how Method) Artifact {
	project := q.Project
	if job.Elsewhere {
		project = strconv.FormatInt(job.Pipeline.ProjectID, 10)
	}
	return Artifact{
		Project: project, ProjectID: job.Pipeline.ProjectID, Ref: job.Pipeline.Ref, SHA: job.Pipeline.SHA, PipelineID: job.Pipeline.ID,
		JobID: job.ID, JobName: job.Name, Status: job.Status, WebURL: job.WebURL, ExpireAt: job.ArtifactsExpireAt, Found: how,
		URL: r.API.ArchiveURL(gitlab.Project(project), job.ID),
	}
}

// pinned makes the artifact of a job that was listed. Whether an expired
// archive can still be had only the download tells.
func (r *Resolver) pinned(q Query, job gitlab.Job, how Method) (Artifact, error) {
	a := r.artifact(q, job, how)
	archive := slices.IndexFunc(job.Artifacts, func(f gitlab.ArtifactFile) bool { return f.FileType == "archive" })
	switch {
	case job.ArtifactsFile != nil:
		a.Size = job.ArtifactsFile.Size
	case archive >= 0:
		a.Size = job.Artifacts[archive].Size
	default:
		return a, &NoArchiveError{Artifact: a, Reports: reports(job), Erased: job.ErasedAt != nil}
	}
	return a, nil
}

// reports names what the job uploaded beside an archive.
func reports(job gitlab.Job) []string {
	var names []string
	for _, f := range job.Artifacts {
		if f.FileType != "trace" && f.FileType != "metadata" && f.FileType != "archive" {
			names = append(names, f.FileType)
		}
	}
	return names
}
