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

// The rungs of the ladder.
const (
	ByID      Method = "job id"          // the user named the job
	ByListing Method = "listing"         // pipelines and jobs were listed
	ByRef     Method = "ref"             // the server chose; it does not say which job
	ByProject Method = "list of project" // pipelines are closed to the token; the project's list of jobs is open
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
	// Back is how many newer successful pipelines lack it. Of a baseline, it is how many
	// commits lie between its own and the base commit.
	Back int
	// Settled is when what the ref means changed last, as far as a list shows: when a
	// pipeline of the ref that isn't older than the job's was updated. Zero if unknown.
	Settled time.Time
	// Report is the report that is meant in place of the archive, and Size, SHA256 and URL
	// are about it. Zero if the archive is meant.
	Report Report
	// Reports are those that the job has, as far as a list shows; nil if unknown.
	Reports []Report

	runner bool // URL is the route for runners, which is the last one to try
}

// Label names the artifact to a person.
func (a Artifact) Label() string {
	if a.Report.Type != "" {
		return a.Report.Type + " report of " + a.jobLabel()
	}
	return a.jobLabel()
}

// maxLabels is how many artifacts a message names.
const maxLabels = 10

// Labels names artifacts to a person: the first ten, and how many more there are.
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

// Failed reports whether the job is known not to have succeeded. GitLab hands out the
// archive of a job that was allowed to fail.
func (a Artifact) Failed() bool { return a.Status != "" && a.Status != "success" }

// candidate is a job that was listed, and the project to ask for its archive: the one
// that the query names, as it names it, or the id of a downstream project.
type candidate struct {
	gitlab.Job
	project string
}

// artifact describes a job that was listed.
func (r *Resolver) artifact(c candidate, how Method) Artifact {
	return Artifact{
		Project: c.project, ProjectID: c.Pipeline.ProjectID, Ref: c.Pipeline.Ref, SHA: c.Pipeline.SHA, PipelineID: c.Pipeline.ID,
		JobID: c.ID, JobName: c.Name, Status: c.Status, WebURL: c.WebURL, ExpireAt: c.ArtifactsExpireAt, Found: how,
		URL: r.api.ArchiveURL(gitlab.Project(c.project), c.ID), Reports: reports(c.Job),
	}
}

// pinned returns the artifact of a job that was listed, or a [*NoArchiveError]. Only the
// download can tell whether GitLab still has an archive that has expired.
func (r *Resolver) pinned(q Query, c candidate, how Method) (Artifact, error) {
	a := r.artifact(c, how)
	if len(q.Reports) > 0 {
		return a, q.lacksReports(a, c.Job)
	}
	archive := slices.IndexFunc(c.Artifacts, func(f gitlab.ArtifactFile) bool { return f.FileType == "archive" })
	switch {
	case c.ArtifactsFile != nil:
		a.Size = c.ArtifactsFile.Size
	case archive >= 0:
		a.Size = c.Artifacts[archive].Size
	default:
		return a, &NoArchiveError{Artifact: a, Reports: types(a.Reports), Erased: c.ErasedAt != nil}
	}
	return a, nil
}

// downloadable are the file types that make the server choose a job, whether or
// not an archive is among them (Ci::JobArtifact::DOWNLOADABLE_TYPES).
var downloadable = []string{
	"accessibility", "api_fuzzing", "archive", "cobertura", "jacoco", "codequality", "container_scanning", "dast",
	"dependency_scanning", "dotenv", "junit", "license_scanning", "lsif", "scip", "metrics", "performance",
	"browser_performance", "load_performance", "sast", "secret_detection", "requirements", "requirements_v2",
	"cluster_image_scanning", "cyclonedx", "sarif",
}

// serverTakes reports whether the job has any file that makes the server choose
// it: not only an archive does.
func serverTakes(job gitlab.Job) bool {
	return job.ArtifactsFile != nil || slices.ContainsFunc(job.Artifacts, func(f gitlab.ArtifactFile) bool {
		return slices.Contains(downloadable, f.FileType)
	})
}
