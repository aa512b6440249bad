package gitlabtest

import (
	"fmt"
	"strings"
)

// feature is something that an instance has from some version on.
type feature string

// The features of the instance. Those of the job token are routes that take it.
const (
	featTree             feature = "artifacts tree"
	featRecent           feature = "search_recent_successful_pipelines"
	featDigestETag       feature = "digest as ETag"
	featMissingArchive   feature = "404 for reports alone by ref"
	featPolicies         feature = "job token permissions"
	featTriggerJobs      feature = "trigger_jobs"
	featRunnerAccess     feature = "artifacts:access on the runner's route"
	featFileType         feature = "file_type"
	featDownloadMode     feature = "download_mode"
	featRefDownloadMode  feature = "download_mode by ref"
	featJobInputs        feature = "job_inputs"
	featUpstream         feature = "upstream variables"
	featFQDN             feature = "CI_SERVER_FQDN"
	featScheduleVariable feature = "CI_PIPELINE_SCHEDULE_DESCRIPTION"
	featRunnerLimit      feature = "runner jobs limit"
	featWideRefs         feature = "ref includes merge requests"
	featJobSource        feature = "job source"
	featPipelineMR       feature = "pipeline merge_request"
	featTokenProjectJobs feature = "job token: project jobs"
	featTokenJobs        feature = "job token: pipeline jobs"
	featTokenPipelines   feature = "job token: pipelines"
	featTokenJob         feature = "job token: job"
	featTokenProject     feature = "job token: project"
	featTokenCommits     feature = "job token: commits"
	featTokenBranches    feature = "job token: branches"
	featTokenMR          feature = "job token: merge request"
)

// never is the version of what no instance has.
const never = "never"

// versions says from which version on an instance has a feature. (U) marks what no
// source confirms: [Options.Since] has the other answer tested.
var versions = map[feature]string{
	featTree:             "18.8",  // gitlab!216111
	featRecent:           "18.10", // docs.gitlab.com/api/job_artifacts: the flag was removed
	featDigestETag:       "19.0",  // gitlab#371991 (U)
	featMissingArchive:   "18.0",  // lib/api/ci/job_artifacts.rb (U)
	featPolicies:         "18.0",  // docs.gitlab.com/ci/jobs/fine_grained_permissions: beta
	featTriggerJobs:      "19.2",  // lib/api/ci/pipelines.rb
	featRunnerAccess:     never,   // lib/api/ci/runner.rb checks read_build alone (U of the newest: gitlab#500134)
	featFileType:         "19.4",  // gitlab!252518
	featDownloadMode:     "19.4",  // gitlab!252350, gitlab!257219 for the runner's route
	featRefDownloadMode:  never,   // (U): only the routes of these two are known to declare it
	featJobInputs:        "18.10", // docs.gitlab.com/ci/jobs/job_inputs
	featUpstream:         "18.9",  // docs.gitlab.com/ci/variables/predefined_variables
	featFQDN:             "16.10", // likewise
	featScheduleVariable: "17.8",  // likewise
	featRunnerLimit:      "18.5",  // gitlab#462537: runner_jobs_endpoints_api_limit
	featWideRefs:         "19.2",  // gitlab!186590, behind a flag from 17.11 on; without it since (U)
	featJobSource:        never,   // (U): a field of newer jobs, by some accounts
	featPipelineMR:       never,   // lib/api/entities/ci/pipeline_merge_request.rb, shown where? (U)
	featTokenProjectJobs: "18.5",  // lib/api/ci/jobs.rb (U which minor version)
	featTokenJobs:        "18.5",  // lib/api/ci/pipelines.rb (U which minor version)
	featTokenPipelines:   "19.2",  // lib/api/ci/pipelines.rb (U which minor version)
	featTokenJob:         never,   // lib/api/ci/jobs.rb (U of the newest)
	featTokenProject:     never,   // docs.gitlab.com/ci/jobs/ci_job_token has no Projects API (U)
	featTokenCommits:     "18.3",  // gitlab#555868, ci_job_token.md of 18.5 (U which minor version)
	featTokenBranches:    "18.3",  // likewise: the list alone, never one branch (U which minor version)
	featTokenMR:          "18.4",  // gitlab#545150, ci_job_token.md of 18.5 (U which minor version)
}

// newest is the version of an instance that says none.
const newest = "19.4"

// has reports whether the instance has a feature.
func (s *Server) has(f feature) bool {
	from := versions[f]
	if other, given := s.opts.Since[string(f)]; given {
		from = other
	}
	return from != never && number(s.opts.Version) >= number(from)
}

// number makes versions comparable. What isn't a version is older than any.
func number(version string) int {
	var major, minor int
	_, _ = fmt.Sscanf(version, "%d.%d", &major, &minor)
	return major*1000 + minor
}

// checkSince refuses a feature that the table doesn't have: a test that names one
// wrongly would test nothing.
func checkSince(since map[string]string) error {
	for name, version := range since {
		if _, known := versions[feature(name)]; !known {
			return fmt.Errorf("Options.Since: no feature %q", name)
		}
		if version != never && !strings.Contains(version, ".") {
			return fmt.Errorf("Options.Since: %q isn't a version", version)
		}
	}
	return nil
}
