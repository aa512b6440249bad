package resolve

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// Report is a report that a job has uploaded.
// https://docs.gitlab.com/ci/yaml/artifacts_reports/
type Report struct {
	Type   string // such as "junit"; empty means the archive
	Format string // "raw", "gzip" or "zip"; empty if unknown
	Name   string // of the uploaded file, such as "junit.xml.gz"; empty if unknown
	Size   int64  // of that file, in bytes; 0 if unknown
}

// notReports are files of a job that aren't reports, by the names of their types.
var notReports = []string{"archive", "metadata", "trace"}

// reports returns the reports of a listed job; nil if the server omits them.
func reports(job gitlab.Job) []Report {
	if job.Artifacts == nil {
		return nil
	}
	list := []Report{}
	for _, f := range job.Artifacts {
		if !slices.Contains(notReports, f.FileType) {
			list = append(list, Report{f.FileType, f.FileFormat, f.Filename, max(f.Size, 0)})
		}
	}
	return list
}

// types returns the types of reports.
func types(list []Report) []string {
	names := make([]string, len(list))
	for i, r := range list {
		names[i] = r.Type
	}
	return names
}

// report finds a report of the artifact's job by its type.
func (a Artifact) report(kind string) (Report, bool) {
	if i := slices.Index(types(a.Reports), kind); i >= 0 {
		return a.Reports[i], true
	}
	return Report{Type: kind}, a.Reports == nil // unknown without a list
}

// lacksReports returns a [*NoArchiveError] if a listed job lacks the query's reports. A
// glob's job only needs one of them.
func (q Query) lacksReports(a Artifact, job gitlab.Job) error {
	var lacking []string
	for _, kind := range q.Reports {
		if _, has := a.report(kind); !has {
			lacking = append(lacking, kind)
		}
	}
	if len(lacking) == 0 || q.Globs() && len(lacking) < len(q.Reports) {
		return nil
	}
	return noReport(a, lacking[0], job.ErasedAt != nil)
}

func noReport(a Artifact, kind string, erased bool) error {
	a.Report = Report{Type: kind}
	return &NoArchiveError{Artifact: a, Reports: types(a.Reports), Erased: erased}
}

// byID returns the artifact of a job that is selected by ID. To find its reports, it
// requests the job, which job tokens can't read.
func (r *Resolver) byID(ctx context.Context, q Query) (Artifact, error) {
	a := Artifact{Project: q.Project, JobID: q.JobID, Found: ByID, URL: r.api.ArchiveURL(gitlab.Project(q.Project), q.JobID)}
	if len(q.Reports) == 0 {
		return a, nil
	}
	job, err := r.api.Job(ctx, gitlab.Project(q.Project), q.JobID)
	switch {
	case Refused(err):
		return a, nil
	case err != nil:
		return a, r.interpret(err, q, a)
	}
	return r.available(q, candidate{job, q.Project}, ByID)
}

// reportsOf returns the query's reports instead of the archives. GitLab serves them only
// by the job's ID.
func (r *Resolver) reportsOf(q Query, found []Artifact) ([]Artifact, error) {
	if len(q.Reports) == 0 {
		return found, nil
	}
	var all []Artifact
	for _, a := range found {
		if a.JobID == 0 {
			return nil, &ClosedError{Query: q}
		}
		for i, kind := range q.Reports {
			if report, has := a.report(kind); has && slices.Index(q.Reports, kind) == i {
				one := a
				one.Report, one.Size, one.URL = report, report.Size, r.api.ReportURL(gitlab.Project(a.Project), a.JobID, kind)
				all = append(all, one)
			}
		}
	}
	return all, q.missesReports(found)
}

// missesReports returns a [*NoArchiveError] if none of the jobs with a name has one of
// the reports.
func (q Query) missesReports(found []Artifact) error {
	for _, name := range q.Jobs {
		matches := NameMatcher(name)
		for _, kind := range q.Reports {
			var first *Artifact
			has := false
			for i := range found {
				if matches(found[i].JobName) && !has {
					_, has = found[i].report(kind)
					first = &found[i]
				}
			}
			if first != nil && !has {
				return noReport(*first, kind, false)
			}
		}
	}
	return nil
}

// ReportRefused explains why GitLab refused the download of a report.
func (r *Resolver) ReportRefused(q Query, a Artifact, err error) error {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	if ok && !refusal.FromStorage && refusal.StatusCode == http.StatusBadRequest { // it isn't one of its downloadable types
		return &NoArchiveError{Artifact: a, Reports: types(a.Reports), Err: err}
	}
	explained := r.interpret(err, q, a)
	if empty, ok := errors.AsType[*NoArchiveError](explained); ok {
		empty.Reports = types(a.Reports)
	}
	return explained
}
