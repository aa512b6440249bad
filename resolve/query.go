package resolve

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Query selects jobs: by JobID, or by their names in one or several pipelines.
type Query struct {
	Project string // numeric id or full path
	JobID   int64
	Jobs    []string // full names, such as "test 1/3" or "build: [linux, amd64]"; globs, if they contain *, ? or {

	// The pipeline: one of these. Ref alone means the newest successful pipeline of a
	// ref, as GitLab itself would choose.
	Ref          string   // as in pipelines: a branch, a tag, refs/merge-requests/7/head; or [DefaultBranch]
	MoreRefs     []string // tried in this order if Ref lacks the jobs
	PipelineID   int64
	Root         bool   // the root ancestor, if PipelineID is a child's
	SHA          string // of a commit, unabbreviated
	MergeRequest int64  // its number in the project
	Latest       bool   // the newest pipeline of Ref, whatever its status
	// Base is a commit, unabbreviated. It and its first parents are searched for a
	// pipeline in which the jobs have succeeded.
	Base string

	// Recent means the newest successful pipeline of Ref that has the job with an
	// archive; without it, only the newest successful one counts. AnyPipeline means the
	// newest pipeline of Ref, whatever its status, in which the job has succeeded.
	Recent      bool
	AnyPipeline bool
	MaxAge      time.Duration // limits the pipelines that these two search; zero means no limit

	// Before limits the search to pipelines of Ref that are older than this one. Besides
	// is a commit whose pipelines don't count then: a child pipeline is younger than its
	// own parent, which has the same commit.
	Before  int64
	Besides string
	// Sources are the allowed sources of the pipeline, such as "push", and excluded ones,
	// after "!". Empty means those that GitLab itself considers.
	Sources []string

	// Reports are the types of reports to take instead of archives, such as "junit".
	Reports []string

	RequireSuccess bool // refuses a failed job that was allowed to fail
	AnyStatus      bool // includes unsuccessful jobs
	Downstream     bool // includes downstream pipelines in other projects
	// Bare means to find the jobs themselves: with any status, with or without an
	// archive, in the newest pipeline of Ref.
	Bare bool
}

// ProjectName returns a project as GitLab names it: an ID or a full path. value may be a
// part of an address, percent-encoded or with a repository's suffix; a path has no
// percent sign and doesn't end in .git. https://docs.gitlab.com/user/reserved_names/
func ProjectName(value string) string {
	if plain, err := url.PathUnescape(value); err == nil {
		value = plain
	}
	return strings.TrimSuffix(strings.Trim(value, "/"), ".git")
}

// Exact reports whether the status of the pipeline doesn't matter, because the query
// names a pipeline, a commit or a merge request, or only requires the job to have
// succeeded.
func (q Query) Exact() bool {
	return q.PipelineID != 0 || q.SHA != "" || q.MergeRequest != 0 || q.Latest || q.good()
}

// good reports whether the query accepts any pipeline in which the jobs have succeeded.
func (q Query) good() bool { return q.AnyPipeline || q.Base != "" }

// NeedsRef reports whether the query requires Ref. If it names a job, a pipeline, a
// commit or a merge request, Ref is refused because it would have no effect.
func (q Query) NeedsRef() bool { return q.JobID == 0 && q.ofRef() }

// ofRef reports whether the query is about the pipelines of Ref.
func (q Query) ofRef() bool { return !q.Exact() || q.Latest || q.AnyPipeline }

// where describes the pipeline for people.
func (q Query) where() string {
	switch {
	case q.Root:
		return fmt.Sprintf("the root of pipeline %d", q.PipelineID)
	case q.PipelineID != 0:
		return fmt.Sprintf("pipeline %d", q.PipelineID)
	case q.Base != "": // SHA is the commit that was searched last
		return "the pipelines of commit " + q.Base + " and of its first parents" + q.which()
	case q.SHA != "":
		return "the pipelines of commit " + q.SHA + q.which()
	case q.MergeRequest != 0:
		return fmt.Sprintf("the pipelines of merge request !%d", q.MergeRequest) + q.which()
	}
	return q.whereOfRef() + q.which()
}

func (q Query) whereOfRef() string {
	switch {
	case q.Latest:
		return "the newest pipeline of " + q.refNames()
	case q.AnyPipeline:
		return "any recent pipeline of " + q.refNames()
	case q.Recent:
		return "any recent successful pipeline of " + q.refNames()
	}
	return "the newest successful pipeline of " + q.refNames()
}

// refNames names the refs for people.
func (q Query) refNames() string {
	names := make([]string, 0, 1+len(q.MoreRefs))
	for _, ref := range q.refs() {
		names = append(names, fmt.Sprintf("%q", ref))
	}
	return "ref " + strings.Join(names, ", or else ")
}

// which describes for people which pipelines count, or is empty.
func (q Query) which() string {
	text := ""
	if len(q.Sources) > 0 {
		text += " from source " + strings.Join(q.Sources, ", ")
	}
	if q.Before != 0 {
		text += fmt.Sprintf(" before pipeline %d", q.Before)
	}
	if q.MaxAge > 0 {
		text += fmt.Sprintf(" of the last %v", q.MaxAge)
	}
	return text
}

// String describes the query for people.
func (q Query) String() string {
	if q.JobID != 0 {
		return fmt.Sprintf("job %d of project %s", q.JobID, q.Project)
	}
	return fmt.Sprintf("%s in %s of project %s", quoted(q.Jobs), q.where(), q.Project)
}

// quoted names jobs for people.
func quoted(jobs []string) string {
	names := make([]string, len(jobs))
	for i, job := range jobs {
		names[i] = fmt.Sprintf("%q", job)
	}
	if len(names) == 1 {
		return "job " + names[0]
	}
	return "jobs " + strings.Join(names, ", ")
}

// Globs reports whether any of the names is a glob.
func (q Query) Globs() bool { return slices.ContainsFunc(q.Jobs, isGlob) }

// isCommit reports whether text may be a commit's SHA, possibly abbreviated.
func isCommit(text string) bool {
	return len(text) >= 7 && len(text) <= 64 && strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

// RefMistake is what a wrong ref seems to be. Pipelines have the short name of a branch
// or tag.
type RefMistake string

// The mistakes.
const (
	RefFine    RefMistake = ""        // it may be a branch or tag
	RefHead    RefMistake = "HEAD"    // the current commit
	RefCommit  RefMistake = "commit"  // a commit's SHA, possibly abbreviated
	RefLong    RefMistake = "long"    // refs/heads/… or refs/tags/…
	RefEncoded RefMistake = "encoded" // with %XX, as in a URL
	RefWord    RefMistake = "word"    // with an @ in front, but not [DefaultBranch]
	RefSeveral RefMistake = "several" // a comma or a space between possible names
	RefRemote  RefMistake = "remote"  // with a remote's name in front, as in a clone
	RefRequest RefMistake = "request" // a merge request's number after !
	RefAddress RefMistake = "address" // a page's address
	RefAround  RefMistake = "around"  // with spaces or quotes around it
)

func refMistake(ref string) (mistake RefMistake, name string) {
	if alone := strings.Trim(ref, " \t\"'“”‘’"); alone != ref && alone != "" {
		return RefAround, alone
	}
	return formMistake(ref)
}

// formMistake is about the form of a ref, as Git and GitLab write it elsewhere.
func formMistake(ref string) (mistake RefMistake, name string) {
	short := strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/tags/")
	plain, err := url.PathUnescape(ref)
	switch {
	case ref == "HEAD" || ref == "@":
		return RefHead, ""
	case isCommit(ref):
		return RefCommit, ""
	case short != ref:
		return RefLong, short
	case strings.Contains(ref, "://"): // names have no colons: git-check-ref-format(1)
		return RefAddress, treeOf(ref)
	case isRequest(ref):
		return RefRequest, ref[1:]
	case err == nil && plain != ref:
		return RefEncoded, plain
	case strings.HasPrefix(ref, "@"):
		return RefWord, DefaultBranch
	case strings.ContainsAny(ref, ", "):
		return RefSeveral, ""
	case strings.HasPrefix(ref, "origin/"):
		return RefRemote, strings.TrimPrefix(ref, "origin/")
	}
	return RefFine, ""
}

// isRequest reports whether text is the number of a merge request, such as !12.
func isRequest(text string) bool {
	number, found := strings.CutPrefix(text, "!")
	return found && number != "" && strings.Trim(number, "0123456789") == ""
}

// treeOf returns the ref in the address of a page with files or commits, or "".
func treeOf(address string) string {
	for _, page := range []string{"/-/tree/", "/-/commits/"} {
		if _, ref, ok := strings.Cut(address, page); ok {
			ref, _, _ = strings.Cut(ref, "?")
			return ref
		}
	}
	return ""
}
