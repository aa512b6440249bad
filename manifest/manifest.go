// Package manifest reads artifetch.yml, which lists the artifacts that a directory needs,
// and artifetch.lock, which pins the exact archives and files:
//
//	manifest.go     the keys, and the query that a source means
//	read.go         parses the file, with the position of each mistake
//	syntax.go       describes what isn't YAML
//	variables.go    replaces ${NAME}, but never with a secret
//	check.go        finds keys that contradict each other or are missing
//	edit.go         adds and removes sources; text.go and brackets.go: where they are in the text
//	draft.go        a first manifest
//	lock.go         the lock file
//	lockcheck.go    rejects lock files that can't be right
//	asked.go        what a source asks for, and how that differs from what is locked
//	fingerprint.go  the same in the first lock files
package manifest

import (
	"strconv"
	"strings"

	"gitlab.com/artifetch/artifetch/resolve"
)

// Version is the version of manifests. Others are refused.
const Version = 1

// MaxSize is the maximum size of a manifest, in bytes: ten thousand sources.
const MaxSize = 4 << 20

// Manifest is the whole of artifetch.yml.
type Manifest struct {
	Version  int      `yaml:"version"  doc:"of the format: 1"`
	Defaults Query    `yaml:"defaults" doc:"for every source that does not say otherwise"`
	Sources  []Source `yaml:"sources"  doc:"what to fetch, in the order of messages"`
}

// Source is one archive, and which of its files are needed.
type Source struct {
	Name  string `yaml:"name" doc:"by which messages and the lock file call it"`
	Query `yaml:",inline"`

	line, column int
	given        map[string]bool // keys in the manifest, even with their zero value
}

// Query has the keys of a source.
type Query struct {
	Project        string   `yaml:"project"    doc:"id or full path" expand:"yes"`
	Ref            []string `yaml:"ref"        doc:"branch or tag, or @default; of several, the first that has the job" expand:"yes"`
	Job            string   `yaml:"job"        doc:"name in full" expand:"yes"`
	JobID          int64    `yaml:"job-id"     doc:"instead of ref and job"`
	Pipeline       string   `yaml:"pipeline"   doc:"id, or latest (of ref), whatever its status" expand:"yes"`
	SHA            string   `yaml:"sha"        doc:"the newest pipeline of this commit that has the job" expand:"yes"`
	MR             int64    `yaml:"mr"         doc:"the newest pipeline of this merge request that has the job"`
	Recent         bool     `yaml:"recent"     doc:"the newest successful pipeline that has the job, not the newest alone"`
	AnyPipeline    bool     `yaml:"any-pipeline" doc:"the newest successful job, even if its pipeline failed or still runs"`
	Sources        []string `yaml:"source" doc:"of the pipeline, such as push or schedule; !push is any other"`
	RequireSuccess bool     `yaml:"require-success" doc:"refuse a job that failed though its pipeline succeeded"`
	AnyStatus      bool     `yaml:"any-status" doc:"also of jobs that have not succeeded"`
	Downstream     bool     `yaml:"downstream" doc:"also in pipelines of other projects that it triggered"`

	Report          string   `yaml:"report" doc:"type of the report to take in place of the archive, such as junit"`
	Paths           []string `yaml:"paths"            doc:"files, directories or globs; all files if there are none"`
	Exclude         []string `yaml:"exclude"          doc:"globs to leave out"`
	Output          string   `yaml:"output"           doc:"directory, relative to that of the manifest" expand:"yes"`
	StripComponents int      `yaml:"strip-components" doc:"drop so many directories from the front of each name"`
	Flat            bool     `yaml:"flat"             doc:"drop all directories of each name"`
	IfMissing       string   `yaml:"if-missing"       doc:"what to do if the job or its archive is missing: fail, warn or ignore"`
	SHA256          string   `yaml:"sha256"           doc:"that the archive must have"`
}

// latest stands for the newest pipeline of a ref, whatever its status.
const latest = "latest"

// JobQuery returns the source's query. Keys that select a job or pipeline override defaults
// for searching one, and for refs.
func (s Source) JobQuery() resolve.Query {
	q := resolve.Query{
		Project: resolve.ProjectName(s.Project), JobID: s.JobID, SHA: strings.ToLower(s.SHA), MergeRequest: s.MR, Latest: s.Pipeline == latest,
		RequireSuccess: s.RequireSuccess, AnyStatus: s.AnyStatus, Downstream: s.Downstream,
	}
	if s.Job != "" {
		q.Jobs = []string{s.Job}
	}
	if s.Report != "" {
		q.Reports = []string{s.Report}
	}
	q.PipelineID, _ = strconv.ParseInt(s.Pipeline, 10, 64) // 0 if it isn't a number
	named := q.PipelineID != 0 || q.SHA != "" || q.MergeRequest != 0
	if len(s.Ref) > 0 && (!named && s.JobID == 0 || s.given["ref"]) {
		q.Ref, q.MoreRefs = s.Ref[0], s.Ref[1:]
	}
	if !named && !q.Latest {
		q.Recent, q.AnyPipeline = s.Recent, s.AnyPipeline && s.JobID == 0
	}
	if q.PipelineID == 0 && s.JobID == 0 {
		q.Sources = s.Sources
	}
	return q
}
