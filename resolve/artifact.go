package resolve

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// Method says how a job was found.
type Method string

// The ways to find a job, cheapest first.
const (
	ByID      Method = "job id"          // the user gave the job's ID
	ByListing Method = "listing"         // pipelines and jobs were listed
	ByRef     Method = "ref"             // the server chose; it doesn't say which job
	ByProject Method = "list of project" // the token can't list pipelines; the project's list of jobs has it
)

// Artifact is the archive of one job.
type Artifact struct {
	Project    string
	Ref        string
	SHA        string // commit of the pipeline; empty if unknown
	PipelineID int64  // 0 if unknown
	ProjectID  int64  // 0 if unknown
	JobID      int64  // 0 if unknown
	JobName    string // empty if unknown
	Status     string // of the job; empty if unknown
	WebURL     string // the job's page; empty if unknown
	Size       int64  // of the archive in bytes; 0 if unknown
	ExpireAt   *time.Time
	SHA256     string // of the archive, in hexadecimal; empty if unknown
	URL        string // where the archive is
	Found      Method
	Job        *gitlab.Job // as it was listed; nil unless the query is Bare
	// Back is how many newer successful pipelines lack the job. For a baseline, it is how
	// many commits are between its own and the base commit.
	Back int
	// Settled is when the meaning of the ref last changed, as far as a list shows: when a
	// pipeline of the ref that isn't older than the job's was updated. Zero if unknown.
	Settled time.Time
	// Report is the report that the artifact stands for instead of the archive; then
	// Size, SHA256 and URL are the report's. It is zero for an archive.
	Report Report
	// Reports are the job's reports, as far as a list shows; nil if unknown.
	Reports []Report

	runner bool // URL is the route for runners, which is tried last
}

// Label names the artifact for people.
func (a Artifact) Label() string {
	if a.Report.Type != "" {
		return a.Report.Type + " report of " + a.jobLabel()
	}
	return a.jobLabel()
}

// maxLabels is how many artifacts a message names.
const maxLabels = 10

// Labels names artifacts for people: the first ten, and the number of the others.
func Labels(found []Artifact) string {
	var labels []string
	for _, a := range found[:min(len(found), maxLabels)] {
		labels = append(labels, a.Label())
	}
	if more := len(found) - len(labels); more > 0 {
		labels = append(labels, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(labels, ", ")
}

func (a Artifact) jobLabel() string {
	switch {
	case a.JobName != "" && a.JobID != 0:
		return fmt.Sprintf("job %q (%d)", a.JobName, a.JobID)
	case a.JobName != "":
		return fmt.Sprintf("job %q", a.JobName)
	}
	return fmt.Sprintf("job %d", a.JobID)
}

// Failed reports whether the job is known not to have succeeded. GitLab serves the
// archive of a job that was allowed to fail.
func (a Artifact) Failed() bool { return a.Status != "" && a.Status != "success" }

// candidate is a listed job, and the project to request its archive from: as the query
// names it, or the ID of a downstream project.
type candidate struct {
	gitlab.Job
	project string
}

// artifact describes a listed job.
func (r *Resolver) artifact(c candidate, how Method) Artifact {
	return Artifact{
		Project: c.project, ProjectID: c.Pipeline.ProjectID, Ref: c.Pipeline.Ref, SHA: c.Pipeline.SHA, PipelineID: c.Pipeline.ID,
		JobID: c.ID, JobName: c.Name, Status: c.Status, WebURL: c.WebURL, ExpireAt: c.ArtifactsExpireAt, Found: how,
		URL: r.api.ArchiveURL(gitlab.Project(c.project), c.ID), Reports: reports(c.Job),
	}
}

// available returns the artifact of a listed job, or a [*NoArchiveError]. Only the download
// shows whether an expired archive still exists.
func (r *Resolver) available(q Query, c candidate, how Method) (Artifact, error) {
	a := r.artifact(c, how)
	if len(q.Reports) > 0 {
		return a, q.lacksReports(a, c.Job)
	}
	archive := slices.IndexFunc(c.Artifacts, func(f gitlab.ArtifactFile) bool { return f.FileType == "archive" })
	switch {
	case c.ArtifactsFile != nil:
		a.Size = max(c.ArtifactsFile.Size, 0) // a negative size is unknown, too
	case archive >= 0:
		a.Size = max(c.Artifacts[archive].Size, 0)
	default:
		return a, &NoArchiveError{Artifact: a, Reports: types(a.Reports), Erased: c.ErasedAt != nil}
	}
	return a, nil
}

// downloadable are the file types that make the server choose a job, even without an
// archive (Ci::JobArtifact::DOWNLOADABLE_TYPES).
var downloadable = []string{
	"accessibility", "api_fuzzing", "archive", "cobertura", "jacoco", "codequality", "container_scanning", "dast",
	"dependency_scanning", "dotenv", "junit", "license_scanning", "lsif", "scip", "metrics", "performance",
	"browser_performance", "load_performance", "sast", "secret_detection", "requirements", "requirements_v2",
	"cluster_image_scanning", "cyclonedx", "sarif",
}

// serverTakes reports whether the job has a file that makes the server choose it, such as
// an archive.
func serverTakes(job gitlab.Job) bool {
	return job.ArtifactsFile != nil || slices.ContainsFunc(job.Artifacts, func(f gitlab.ArtifactFile) bool {
		return slices.Contains(downloadable, f.FileType)
	})
}
