// Package feature lists the features that only some versions of GitLab have.
package feature

import (
	"fmt"
	"strings"
)

// Name is a feature that came with some version.
type Name string

// The features. "job token: X" means that the route X accepts job tokens.
const (
	TokenSelf        Name = "personal_access_tokens/self"
	Metadata         Name = "metadata"
	Tree             Name = "artifacts tree"
	Recent           Name = "search_recent_successful_pipelines"
	DigestETag       Name = "digest as ETag"
	MissingArchive   Name = "404 for reports alone by ref"
	Policies         Name = "job token permissions"
	TriggerJobs      Name = "trigger_jobs"
	RunnerAccess     Name = "artifacts:access on the runner's route"
	FileType         Name = "file_type"
	DownloadMode     Name = "download_mode"
	RefDownloadMode  Name = "download_mode by ref"
	JobInputs        Name = "job_inputs"
	Upstream         Name = "upstream variables"
	FQDN             Name = "CI_SERVER_FQDN"
	ScheduleVariable Name = "CI_PIPELINE_SCHEDULE_DESCRIPTION"
	RunnerLimit      Name = "runner jobs limit"
	WideRefs         Name = "ref includes merge requests"
	JobSource        Name = "job source"
	PipelineMR       Name = "pipeline merge_request"
	TokenProjectJobs Name = "job token: project jobs"
	TokenJobs        Name = "job token: pipeline jobs"
	TokenPipelines   Name = "job token: pipelines"
	TokenJob         Name = "job token: job"
	TokenProject     Name = "job token: project"
	TokenCommits     Name = "job token: commits"
	TokenBranches    Name = "job token: branches"
	TokenMR          Name = "job token: merge request"
)

// Never stands for a version: no version has the feature.
const Never = "never"

// versions has the first version with each feature. (U) marks what we couldn't confirm:
// tests try the other answer with Options.Since.
var versions = map[Name]string{
	Metadata:         "15.2",  // docs.gitlab.com/api/metadata
	TokenSelf:        "15.5",  // docs.gitlab.com/api/personal_access_tokens
	Tree:             "18.8",  // gitlab!216111
	Recent:           "18.10", // docs.gitlab.com/api/job_artifacts: the flag was removed
	DigestETag:       "19.0",  // gitlab#371991 (U)
	MissingArchive:   "18.0",  // lib/api/ci/job_artifacts.rb (U)
	Policies:         "18.0",  // docs.gitlab.com/ci/jobs/fine_grained_permissions: beta
	TriggerJobs:      "19.2",  // lib/api/ci/pipelines.rb
	RunnerAccess:     Never,   // lib/api/ci/runner.rb checks read_build alone (U for the newest: gitlab#500134)
	FileType:         "19.4",  // gitlab!252518
	DownloadMode:     "19.4",  // gitlab!252350, gitlab!257219 for the runner's route
	RefDownloadMode:  Never,   // (U): only those two routes are known to declare it
	JobInputs:        "18.10", // docs.gitlab.com/ci/jobs/job_inputs
	Upstream:         "18.9",  // docs.gitlab.com/ci/variables/predefined_variables
	FQDN:             "16.10", // likewise
	ScheduleVariable: "17.8",  // likewise
	RunnerLimit:      "18.5",  // gitlab#462537: runner_jobs_endpoints_api_limit
	WideRefs:         "19.2",  // gitlab!186590, behind a flag from 17.11 on; without it since (U)
	JobSource:        Never,   // (U): some sources say that newer versions have the field
	PipelineMR:       Never,   // lib/api/entities/ci/pipeline_merge_request.rb, (U): where does it appear?
	TokenProjectJobs: "18.5",  // lib/api/ci/jobs.rb (U which minor version)
	TokenJobs:        "18.5",  // lib/api/ci/pipelines.rb (U which minor version)
	TokenPipelines:   "19.2",  // lib/api/ci/pipelines.rb (U which minor version)
	TokenJob:         Never,   // lib/api/ci/jobs.rb (U for the newest)
	TokenProject:     Never,   // docs.gitlab.com/ci/jobs/ci_job_token has no Projects API (U)
	TokenCommits:     "18.3",  // gitlab#555868, ci_job_token.md of 18.5 (U which minor version)
	TokenBranches:    "18.3",  // likewise: the list alone, never one branch (U which minor version)
	TokenMR:          "18.4",  // gitlab#545150, ci_job_token.md of 18.5 (U which minor version)
}

// Newest is the default version.
const Newest = "19.4"

// Has reports whether a version has a feature. since overrides the table.
func Has(f Name, version string, since map[string]string) bool {
	from := versions[f]
	if other, given := since[string(f)]; given {
		from = other
	}
	return from != Never && number(version) >= number(from)
}

// number makes versions comparable. If it isn't a version, it is older than all of them.
func number(version string) int {
	var major, minor int
	_, _ = fmt.Sscanf(version, "%d.%d", &major, &minor)
	return major*1000 + minor
}

// Check refuses a feature that the table doesn't have: a test that names one
// wrongly would test nothing.
func Check(since map[string]string) error {
	for name, version := range since {
		if _, known := versions[Name(name)]; !known {
			return fmt.Errorf("Options.Since: no feature %q", name)
		}
		if version != Never && !strings.Contains(version, ".") {
			return fmt.Errorf("Options.Since: %q isn't a version", version)
		}
	}
	return nil
}

// Names are the features in the table.
func Names() []string {
	var names []string
	for f := range versions {
		names = append(names, string(f))
	}
	return names
}
