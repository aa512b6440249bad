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

// findInProject looks through the project's newest successful jobs for one that
// the by-ref route could have chosen. Job ids, by which the list is sorted, do
// not quite follow pipeline ids, so a whole page is read before the newest
// pipeline's job is taken.
func (r *Resolver) findInProject(ctx context.Context, q Query) (*Artifact, error) {
	var best gitlab.Job
	seen := 0
	for job, err := range r.API.ProjectJobs(ctx, gitlab.Project(q.Project), gitlab.JobsOptions{Scope: []string{"success"}}) {
		if err != nil {
			return nil, err
		}
		if seen++; seen%pageSize == 1 && best.ID != 0 || seen > maxJobs {
			break
		}
		if job.Name == q.Job && inNewestOf(q.Ref, job) && job.Pipeline.ID > best.Pipeline.ID {
			best = job
		}
	}
	if best.ID == 0 {
		return nil, nil
	}
	return r.pinned(q, best, ByProject)
}

const (
	pageSize = 100  // rows of a page, the server's maximum
	maxJobs  = 2000 // how far back findInProject looks
)

func inNewestOf(ref string, job gitlab.Job) bool {
	return job.Pipeline.Ref == ref && job.Pipeline.Status == "success" && serverTakes(job)
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
