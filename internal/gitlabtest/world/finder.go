package world

import (
	"cmp"
	"net/url"
	"slices"
	"time"
)

// notCISources are the sources that Enums::Ci::Pipeline.ci_sources omits
// (app/models/concerns/enums/ci/pipeline.rb).
var notCISources = []string{
	"webide", "parent_pipeline", "ondemand_dast_scan", "ondemand_dast_validation",
	"security_orchestration_policy", "container_registry_push", "duo_workflow", "pipeline_execution_policy_schedule",
}

// Sources of a pipeline, from the same file.
var Sources = slices.Concat([]string{
	"push", "web", "trigger", "schedule", "api", "external", "pipeline", "chat", "merge_request_event",
	"external_pull_request_event", "unknown",
}, notCISources)

// CISource reports whether the pipeline counts for the status of its ref.
func (p *Pipeline) CISource() bool { return !slices.Contains(notCISources, p.SourceName()) }

// Orders are the columns that a list of pipelines can be ordered by.
var Orders = map[string]func(a, b *Pipeline) int{
	"id":         func(a, b *Pipeline) int { return cmp.Compare(a.ID, b.ID) },
	"status":     func(a, b *Pipeline) int { return cmp.Compare(a.Status, b.Status) },
	"ref":        func(a, b *Pipeline) int { return cmp.Compare(a.Ref, b.Ref) },
	"updated_at": func(a, b *Pipeline) int { return a.Updated().Compare(b.Updated()) },
	"user_id":    func(a, b *Pipeline) int { return cmp.Compare(a.Starter(), b.Starter()) },
}

// Matching is app/finders/ci/pipelines_finder.rb with the API's parameters, which have
// been validated. It omits child pipelines unless source=parent_pipeline. An empty
// parameter filters nothing.
//
// With widened, a branch as ref also means the branch's merge request pipelines
// (app/finders/concerns/ci/pipeline_ref_filter_including_reserved_ref_names.rb).
func (p *Project) Matching(query url.Values, widened bool) []*Pipeline {
	is := func(name, value string) bool { return query.Get(name) == "" || query.Get(name) == value }
	within := func(name string, at time.Time) bool {
		before, after := query.Get(name+"_before"), query.Get(name+"_after")
		earliest, _ := Moment(after) // validated
		latest, _ := Moment(before)  // validated
		return (after == "" || !at.Before(earliest)) && (before == "" || !at.After(latest))
	}
	refs := p.meant(query.Get("ref"), widened && is("source", "merge_request_event"))
	var found []*Pipeline
	p.Each(func(one, parent *Pipeline) {
		if (parent == nil || query.Get("source") == "parent_pipeline") && p.inScope(query.Get("scope"), one) &&
			(refs == nil || slices.Contains(refs, one.Ref)) && is("status", one.Status) && is("sha", one.SHA) &&
			is("source", one.SourceName()) && is("name", one.Name) && is("username", one.Starter()) &&
			within("updated", one.Updated()) && within("created", one.CreatedAt) {
			found = append(found, one)
		}
	})
	return found
}

// meant returns the refs that the parameter ref stands for; nil means any ref.
func (p *Project) meant(ref string, widened bool) []string {
	if ref == "" {
		return nil
	}
	refs := []string{ref}
	for _, m := range p.MergeRequests {
		if widened && m.SourceBranch == ref && m.SourceProject == 0 {
			refs = append(refs, m.Refs()...)
		}
	}
	return refs
}

// Moment parses ISO 8601: a time or a day.
func Moment(value string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, value); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339, value)
}

// inScope is the finder's by_scope: the newest pipeline of each existing branch or tag.
func (p *Project) inScope(scope string, one *Pipeline) bool {
	switch scope {
	case "running", "pending":
		return one.Status == scope
	case "finished":
		return slices.Contains([]string{"success", "failed", "canceled"}, one.Status)
	case "branches", "tags":
		return one.Tag == (scope == "tags") && (one.Tag || slices.Contains(p.Branches(), one.Ref)) &&
			!slices.ContainsFunc(p.Pipelines, func(other *Pipeline) bool {
				return other.Ref == one.Ref && other.Tag == one.Tag && other.ID > one.ID
			})
	}
	return true
}

// Latest is Project#latest_pipeline (app/models/project.rb): the newest pipeline of the
// ref's commit.
func (p *Project) Latest(ref string) *Pipeline {
	head, known := p.Heads[ref]
	var newest *Pipeline
	for _, one := range p.Pipelines {
		fits := one.Ref == ref && (!known || one.SHA == head) && one.CISource()
		if fits && (newest == nil || one.ID > newest.ID) {
			newest = one
		}
	}
	if known && head == "" {
		return nil
	}
	return newest
}

// LatestJob is Project#latest_successful_build_for_ref: it searches the ref's newest
// successful pipeline and all its descendants in the project, and no other. It ignores
// the job's status, and accepts a job that only has reports. The lowest pipeline ID wins:
// a parent before its children, and an older child before a newer one.
func (p *Project) LatestJob(ref, name string) *Job {
	var newest *Pipeline
	for _, pipeline := range p.Pipelines {
		if pipeline.CISource() && pipeline.Ref == ref && pipeline.Status == "success" && (newest == nil || pipeline.ID > newest.ID) {
			newest = pipeline
		}
	}
	if newest == nil {
		return nil
	}
	family := []*Pipeline{newest}
	for i := 0; i < len(family); i++ {
		for _, b := range family[i].Bridges {
			if b.Child != nil {
				family = append(family, b.Child)
			}
		}
	}
	slices.SortFunc(family, func(a, b *Pipeline) int { return cmp.Compare(a.ID, b.ID) })
	for _, pipeline := range family {
		for _, j := range pipeline.Jobs {
			if j.Name == name && !j.Retried && j.Downloadable() {
				return j
			}
		}
	}
	return nil
}

// RecentJob is Ci::Build.latest_with_artifacts_for_ref (app/models/ci/build.rb), for
// search_recent_successful_pipelines: it searches the ref's newest hundred successful
// pipelines, including children, for a successful job with an archive, retried or not.
func (p *Project) RecentJob(ref, name string) *Job {
	var pipelines []*Pipeline
	p.Each(func(pipeline, _ *Pipeline) {
		if pipeline.Ref == ref && pipeline.Status == "success" {
			pipelines = append(pipelines, pipeline)
		}
	})
	slices.SortFunc(pipelines, func(a, b *Pipeline) int { return cmp.Compare(b.ID, a.ID) })
	for _, pipeline := range pipelines[:min(len(pipelines), 100)] {
		for _, j := range pipeline.Jobs {
			if j.Name == name && j.State() == "success" && j.HasArchive() {
				return j
			}
		}
	}
	return nil
}

// Owner returns a pipeline's project.
func (w *World) Owner(pipeline *Pipeline) *Project {
	var owner *Project
	for _, project := range w.Projects {
		project.Each(func(one, _ *Pipeline) {
			if one == pipeline {
				owner = project
			}
		})
	}
	return owner
}
