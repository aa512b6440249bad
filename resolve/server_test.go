package resolve_test

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// server is the API of one project. Its lists filter as GitLab's do, and it records the
// requests.
type server struct {
	pipelines []gitlab.Pipeline // newest first
	jobs      map[int64][]gitlab.Job
	single    map[int64]gitlab.Job // by id; others are missing
	requests  map[int64]gitlab.MergeRequest
	branch    string // the default one
	bridges   map[int64][]gitlab.Bridge
	closed    error           // of pipelines and trigger jobs; nil means they are open
	byRef     map[string]bool // archives by ref and job; others are missing
	current   gitlab.Job      // the job token's; the zero value is refused
	refuse    error           // of all lists and single jobs; nil means none
	asked     []string
}

var _ resolve.API = (*server)(nil)

// list yields rows, and records the request when the first one is read.
func list[T any](s *server, what string, rows []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		s.asked = append(s.asked, what)
		if s.refuse != nil {
			var none T
			yield(none, s.refuse)
			return
		}
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func (s *server) Pipelines(_ context.Context, _ gitlab.Project, o gitlab.PipelinesOptions) iter.Seq2[gitlab.Pipeline, error] {
	var found []gitlab.Pipeline
	for _, p := range s.pipelines {
		if (o.Ref == "" || p.Ref == o.Ref) && (o.SHA == "" || p.SHA == o.SHA) && (o.Status == "" || p.Status == o.Status) && p.Source != "parent_pipeline" {
			found = append(found, p)
		}
	}
	if s.closed != nil {
		return func(yield func(gitlab.Pipeline, error) bool) {
			s.asked = append(s.asked, "pipelines")
			yield(gitlab.Pipeline{}, s.closed)
		}
	}
	return list(s, fmt.Sprintf("pipelines ref=%s sha=%s status=%s", o.Ref, o.SHA, o.Status), found)
}

func (s *server) PipelineJobs(_ context.Context, _ gitlab.Project, pipeline int64, _ gitlab.JobsOptions) iter.Seq2[gitlab.Job, error] {
	return list(s, fmt.Sprintf("jobs of %d", pipeline), s.jobs[pipeline])
}

func (s *server) ProjectJobs(context.Context, gitlab.Project, gitlab.JobsOptions) iter.Seq2[gitlab.Job, error] {
	return list(s, "jobs", []gitlab.Job(nil))
}

func (s *server) Bridges(_ context.Context, _ gitlab.Project, pipeline int64, _ bool) iter.Seq2[gitlab.Bridge, error] {
	return list(s, fmt.Sprintf("bridges of %d", pipeline), s.bridges[pipeline])
}

func (s *server) CurrentJob(context.Context) (gitlab.Job, error) {
	s.asked = append(s.asked, "the token's job")
	if s.current.ID == 0 {
		return s.current, nobody
	}
	return s.current, nil
}

func (s *server) Job(_ context.Context, _ gitlab.Project, id int64) (gitlab.Job, error) {
	s.asked = append(s.asked, fmt.Sprintf("job %d", id))
	job, found := s.single[id]
	switch {
	case s.refuse != nil:
		return job, s.refuse
	case !found:
		return job, missing
	}
	return job, nil
}

func (s *server) Pipeline(_ context.Context, _ gitlab.Project, id int64) (gitlab.Pipeline, error) {
	s.asked = append(s.asked, fmt.Sprintf("pipeline %d", id))
	at := slices.IndexFunc(s.pipelines, func(p gitlab.Pipeline) bool { return p.ID == id })
	switch {
	case cmp.Or(s.closed, s.refuse) != nil:
		return gitlab.Pipeline{}, cmp.Or(s.closed, s.refuse)
	case at < 0:
		return gitlab.Pipeline{}, missing
	}
	return s.pipelines[at], nil
}

func (s *server) MergeRequest(_ context.Context, _ gitlab.Project, iid int64) (gitlab.MergeRequest, error) {
	s.asked = append(s.asked, fmt.Sprintf("merge request %d", iid))
	m, found := s.requests[iid]
	switch {
	case s.refuse != nil:
		return m, s.refuse
	case !found:
		return m, missing
	}
	return m, nil
}

func (s *server) DefaultBranch(context.Context, gitlab.Project) (string, error) {
	s.asked = append(s.asked, "project")
	return s.branch, s.refuse
}

func (s *server) RefArchiveExists(_ context.Context, _ gitlab.Project, ref, job string) error {
	s.asked = append(s.asked, "a byte of "+ref+"/"+job)
	if s.refuse == nil && !s.byRef[ref+"/"+job] {
		return missing
	}
	return s.refuse
}

func (s *server) Commit(_ context.Context, _ gitlab.Project, sha string) (gitlab.Commit, error) {
	s.asked = append(s.asked, "commit "+sha)
	return gitlab.Commit{}, missing
}

func (*server) ArchiveURL(project gitlab.Project, job int64) string {
	return fmt.Sprintf("%s/%d", project, job)
}

func (*server) RefArchiveURL(_ gitlab.Project, ref, job string) string {
	return ref + "/" + job
}

func (*server) RunnerProxyURL(job int64) string { return fmt.Sprintf("runner/%d/proxy", job) }

func (*server) DownloadModeURL(_ gitlab.Project, job int64, mode string) string {
	return fmt.Sprintf("job/%d/%s", job, mode)
}

func (*server) ReportURL(project gitlab.Project, job int64, kind string) string {
	return fmt.Sprintf("%s/%d/%s", project, job, kind)
}

func (*server) RunnerArchiveURL(job int64) string { return fmt.Sprintf("runner/%d", job) }
