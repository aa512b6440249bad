// Package manifest reads artifetch.yml, which says what a directory is made of, and
// keeps artifetch.lock, which says exactly which archives and files that is:
//
//	manifest.go     what can be asked for
//	read.go         the file, with the place of each mistake
//	check.go        what its keys must not say together
//	lock.go         what was found
//	lockcheck.go    what it can't say
//	fingerprint.go  whether that is still what is asked for
package manifest

import (
	"strconv"
	"strings"

	"gitlab.com/artifetch/artifetch/resolve"
)

// Version is that of both files. Others are refused.
const Version = 1

// MaxSize is the maximum size of a manifest, in bytes: ten thousand sources.
const MaxSize = 4 << 20

// Manifest is the whole of artifetch.yml.
type Manifest struct {
	Version  int      `yaml:"version"  doc:"of the format: 1"`
	Defaults Query    `yaml:"defaults" doc:"for every source that does not say otherwise"`
	Sources  []Source `yaml:"sources"  doc:"what to fetch, in the order of messages"`
}

// Source is one archive, of which all or some files are wanted.
type Source struct {
	Name  string `yaml:"name" doc:"by which messages and the lock file call it"`
	Query `yaml:",inline"`

	line, column int
	given        map[string]bool // keys that stand in the manifest, also with their zero value
}

// Query has the keys of a source, which are the flags of fetch.
type Query struct {
	Project    string `yaml:"project"    doc:"id or full path" expand:"yes"`
	Ref        string `yaml:"ref"        doc:"branch or tag" expand:"yes"`
	Job        string `yaml:"job"        doc:"name in full" expand:"yes"`
	JobID      int64  `yaml:"job-id"     doc:"instead of ref and job"`
	Pipeline   string `yaml:"pipeline"   doc:"id, or latest (of ref), whatever its status" expand:"yes"`
	SHA        string `yaml:"sha"        doc:"the newest pipeline of this commit that has the job" expand:"yes"`
	MR         int64  `yaml:"mr"         doc:"the newest pipeline of this merge request that has the job"`
	Recent     bool   `yaml:"recent"     doc:"the newest successful pipeline that has the job, not the newest alone"`
	AnyStatus  bool   `yaml:"any-status" doc:"also of jobs that have not succeeded"`
	Downstream bool   `yaml:"downstream" doc:"also in pipelines of other projects that it triggered"`

	Paths           []string `yaml:"paths"            doc:"files, directories or globs; all files if there are none"`
	Exclude         []string `yaml:"exclude"          doc:"globs to leave out"`
	Output          string   `yaml:"output"           doc:"directory, relative to that of the manifest" expand:"yes"`
	StripComponents int      `yaml:"strip-components" doc:"drop so many directories from the front of each name"`
	Flat            bool     `yaml:"flat"             doc:"drop all directories of each name"`
	IfMissing       string   `yaml:"if-missing"       doc:"fail, warn or ignore, if there is no such job or archive"`
	SHA256          string   `yaml:"sha256"           doc:"that the archive must have"`
}

// latest is the pipeline that is the newest of a ref, whatever its status.
const latest = "latest"

// JobQuery returns which job the source means. Recent has no meaning where one
// pipeline, commit or merge request is given: that may be for one source while
// defaults ask for recent pipelines.
func (s Source) JobQuery() resolve.Query {
	q := resolve.Query{
		Project: resolve.ProjectName(s.Project), Ref: s.Ref, JobID: s.JobID, SHA: strings.ToLower(s.SHA), MergeRequest: s.MR, Latest: s.Pipeline == latest,
		AnyStatus: s.AnyStatus, Downstream: s.Downstream,
	}
	if s.Job != "" {
		q.Jobs = []string{s.Job}
	}
	q.PipelineID, _ = strconv.ParseInt(s.Pipeline, 10, 64) // 0 of what is no number
	q.Recent = s.Recent && s.Pipeline == "" && s.SHA == "" && s.MR == 0
	return q
}
