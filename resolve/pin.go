package resolve

import (
	"context"
	"slices"

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

// pin finds the job that the by-ref route would choose, if it is in the newest
// successful pipeline itself. It returns nil if the job may be in a child
// pipeline, and an error that [refused] knows if listing is closed.
func (r *Resolver) pin(ctx context.Context, q Query) (*Artifact, error) {
	pipeline, err := r.newestSuccessful(ctx, q)
	if err != nil {
		return nil, err
	}
	for job, err := range r.API.PipelineJobs(ctx, gitlab.Project(q.Project), pipeline.ID, gitlab.JobsOptions{}) {
		if err != nil {
			return nil, err
		}
		if job.Name == q.Job && serverTakes(job) {
			return r.pinned(q, job, ByListing)
		}
	}
	return nil, nil
}

// newestSuccessful lists the ref's successful pipelines, newest id first, and
// takes the first that the server would.
func (r *Resolver) newestSuccessful(ctx context.Context, q Query) (gitlab.Pipeline, error) {
	o := gitlab.PipelinesOptions{Ref: q.Ref, Status: "success"}
	for pipeline, err := range r.API.Pipelines(ctx, gitlab.Project(q.Project), o) {
		if err != nil {
			return gitlab.Pipeline{}, err
		}
		if !slices.Contains(notCISources, pipeline.Source) {
			return pipeline, nil
		}
	}
	return gitlab.Pipeline{}, &NotFoundError{Query: q, What: "successful pipeline"}
}

// findInProject looks through the project's newest jobs for the one that the
// by-ref route would have chosen, where pipelines are closed to the token: the
// newest successful pipeline that shows up, then its children by their commit.
func (r *Resolver) findInProject(ctx context.Context, q Query) (*Artifact, error) {
	var family []gitlab.Job
	parent := int64(0)
	seen, last := 0, 0 // rows, and the last of the family among them
	for job, err := range r.API.ProjectJobs(ctx, gitlab.Project(q.Project), gitlab.JobsOptions{}) {
		if err != nil {
			return nil, err
		}
		if seen++; seen > maxJobs || parent != 0 && seen-last > pageSize {
			break // a page without the family: it has been seen
		}
		if job.Pipeline.Ref != q.Ref || job.Pipeline.Status != "success" && job.Pipeline.Source != "parent_pipeline" {
			continue
		}
		family, last = append(family, job), seen
		if !slices.Contains(notCISources, job.Pipeline.Source) {
			parent = max(parent, job.Pipeline.ID)
		}
	}
	job := oldestOf(family, parent, q.Job)
	if job == nil {
		return nil, nil
	}
	return r.pinned(q, *job, ByProject)
}

const (
	pageSize = 100  // rows of a page, the server's maximum
	maxJobs  = 2000 // how far back findInProject looks
)

// oldestOf takes the job out of the parent, else out of its oldest child. Of
// several attempts at a job, the newest comes first in jobs.
func oldestOf(jobs []gitlab.Job, parent int64, name string) *gitlab.Job {
	var commit string
	for _, job := range jobs {
		if job.Pipeline.ID == parent {
			commit = job.Pipeline.SHA
		}
	}
	var found *gitlab.Job
	for i, job := range jobs {
		child := job.Pipeline.Source == "parent_pipeline" && job.Pipeline.SHA == commit && job.Pipeline.ID > parent
		if job.Name == name && serverTakes(job) && (child || job.Pipeline.ID == parent) &&
			(found == nil || job.Pipeline.ID < found.Pipeline.ID) {
			found = &jobs[i]
		}
	}
	return found
}

// serverTakes reports whether the job has any file that makes the server choose
// it: not only an archive does.
func serverTakes(job gitlab.Job) bool {
	return job.ArtifactsFile != nil || slices.ContainsFunc(job.Artifacts, func(f gitlab.ArtifactFile) bool {
		return slices.Contains(downloadable, f.FileType)
	})
}

// pinned makes the artifact of a job that was listed. Whether an expired
// archive can still be had only the download tells.
func (r *Resolver) pinned(q Query, job gitlab.Job, how Method) (*Artifact, error) {
	a := &Artifact{
		Project: q.Project, Ref: job.Pipeline.Ref, SHA: job.Pipeline.SHA, PipelineID: job.Pipeline.ID,
		JobID: job.ID, JobName: job.Name, WebURL: job.WebURL, Found: how,
		URL: r.API.ArchiveURL(gitlab.Project(q.Project), job.ID),
	}
	archive := slices.IndexFunc(job.Artifacts, func(f gitlab.ArtifactFile) bool { return f.FileType == "archive" })
	switch {
	case job.ArtifactsFile != nil:
		a.Size = job.ArtifactsFile.Size
	case archive >= 0:
		a.Size = job.Artifacts[archive].Size
	default:
		return nil, &NoArchiveError{Artifact: *a, Reports: reports(job)}
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
