package gitlabtest

import (
	"cmp"
	"slices"
)

// notCISources are left out by Enums::Ci::Pipeline.ci_sources
// (app/models/concerns/enums/ci/pipeline.rb).
var notCISources = []string{
	"webide", "parent_pipeline", "ondemand_dast_scan", "ondemand_dast_validation",
	"security_orchestration_policy", "container_registry_push", "duo_workflow", "pipeline_execution_policy_schedule",
}

// notDownloadable are report types outside of Ci::JobArtifact's downloadable
// ones (app/models/concerns/enums/ci/job_artifact.rb).
var notDownloadable = []string{"terraform", "coverage_fuzzing", "annotations", "metadata", "trace"}

func (j *Job) downloadable() bool {
	return j.hasArchive() || !j.Erased && slices.ContainsFunc(j.Reports, func(r string) bool { return !slices.Contains(notDownloadable, r) })
}

// latestJob is Project#latest_successful_build_for_ref: of the newest successful
// pipeline of the ref, and of no other, its own jobs and those of all its
// descendants in the project. The job's status is not asked; a job with reports
// alone counts. The lowest pipeline id wins: a parent before its children, and
// an older child before a newer one.
func (p *Project) latestJob(ref, name string) *Job {
	var newest *Pipeline
	for _, pipeline := range p.Pipelines {
		ci := !slices.Contains(notCISources, pipeline.source())
		if ci && pipeline.Ref == ref && pipeline.Status == "success" && (newest == nil || pipeline.ID > newest.ID) {
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
			if j.Name == name && !j.Retried && j.downloadable() {
				return j
			}
		}
	}
	return nil
}

// recentJob is Ci::Build.latest_successful_build_with_archive…, behind
// search_recent_successful_pipelines: the newest hundred successful pipelines of
// the ref, children in their own right, and in them a successful job with an
// archive, retried or not.
func (p *Project) recentJob(ref, name string) *Job {
	var pipelines []*Pipeline
	p.each(func(pipeline, _ *Pipeline) {
		if pipeline.Ref == ref && pipeline.Status == "success" {
			pipelines = append(pipelines, pipeline)
		}
	})
	slices.SortFunc(pipelines, func(a, b *Pipeline) int { return cmp.Compare(b.ID, a.ID) })
	for _, pipeline := range pipelines[:min(len(pipelines), 100)] {
		for _, j := range pipeline.Jobs {
			if j.Name == name && j.status() == "success" && j.hasArchive() {
				return j
			}
		}
	}
	return nil
}
