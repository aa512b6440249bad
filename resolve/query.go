package resolve

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Query says which jobs are meant: by JobID, or by their names in one pipeline or in
// several.
type Query struct {
	Project string // numeric id or full path
	JobID   int64
	Jobs    []string // full names, such as "test 1/3" or "build: [linux, amd64]"; globs, if they contain *, ? or {

	// The pipeline: one of these. Ref alone means the newest successful pipeline of a ref,
	// which GitLab itself would choose.
	Ref          string   // as pipelines have it: a branch, a tag, refs/merge-requests/7/head; or [DefaultBranch]
	MoreRefs     []string // tried in this order, if Ref doesn't have the jobs
	PipelineID   int64
	Root         bool   // the pipeline at the top, if PipelineID is a child's
	SHA          string // of a commit, in full
	MergeRequest int64  // its number in the project
	Latest       bool   // the newest pipeline of Ref, whatever its status
	// Base is a commit, in full. It and then its first parents are searched, until one has
	// a pipeline in which the jobs have succeeded.
	Base string

	// Recent means the newest successful pipeline of Ref that has the job with an
	// archive; without it, only the newest successful one counts. AnyPipeline means the
	// newest pipeline of Ref, whatever its status, in which the job has succeeded.
	Recent      bool
	AnyPipeline bool
	MaxAge      time.Duration // of the pipelines that these two search; zero means any

	// Before means only pipelines of Ref that are older than this one. Besides is a commit
	// whose pipelines don't count then: a child pipeline is younger than its own parent,
	// which is of the same commit.
	Before  int64
	Besides string
	// Sources are those that the pipeline may have, such as "push", and, after "!", those
	// that it may not have. None means those that GitLab itself considers.
	Sources []string

	// Reports are the types of the reports to take in place of archives, such as "junit".
	Reports []string

	RequireSuccess bool // refuses a job that was allowed to fail, and failed
	AnyStatus      bool // includes jobs that haven't succeeded
	Downstream     bool // includes downstream pipelines in other projects
	// Bare means the jobs themselves: with any status, with and without an archive, in the
	// newest pipeline of Ref.
	Bare bool
}

// ProjectName returns a project as GitLab calls it: an id, or a full path. value may be
// a part of an address, percent-encoded or with the suffix of a repository's; a path
// has no percent sign and doesn't end in .git.
// https://docs.gitlab.com/user/reserved_names/
func ProjectName(value string) string {
	if plain, err := url.PathUnescape(value); err == nil {
		value = plain
	}
	return strings.TrimSuffix(strings.Trim(value, "/"), ".git")
}

// Exact reports whether the status of the pipeline doesn't matter, because the query names
// a pipeline, a commit or a merge request, or asks only that the job has succeeded.
func (q Query) Exact() bool {
	return q.PipelineID != 0 || q.SHA != "" || q.MergeRequest != 0 || q.Latest || q.good()
}

// good reports whether any pipeline will do in which the jobs have succeeded.
func (q Query) good() bool { return q.AnyPipeline || q.Base != "" }

// NeedsRef reports whether the query means nothing without Ref. Beside what names a job,
// a pipeline, a commit or a merge request, Ref would say nothing, and is refused.
func (q Query) NeedsRef() bool { return q.JobID == 0 && q.ofRef() }

// ofRef reports whether the query is about the pipelines of Ref.
func (q Query) ofRef() bool { return !q.Exact() || q.Latest || q.AnyPipeline }

// where describes the pipeline to a person.
func (q Query) where() string {
	switch {
	case q.Root:
		return fmt.Sprintf("the root of pipeline %d", q.PipelineID)
	case q.PipelineID != 0:
		return fmt.Sprintf("pipeline %d", q.PipelineID)
	case q.Base != "": // SHA is the commit that was looked at last
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

// refNames names the refs to a person.
func (q Query) refNames() string {
	names := make([]string, 0, 1+len(q.MoreRefs))
	for _, ref := range q.refs() {
		names = append(names, fmt.Sprintf("%q", ref))
	}
	return "ref " + strings.Join(names, ", or else ")
}

// which describes to a person which pipelines count, or is empty.
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

// String describes the query to a person.
func (q Query) String() string {
	if q.JobID != 0 {
		return fmt.Sprintf("job %d of project %s", q.JobID, q.Project)
	}
	return fmt.Sprintf("%s in %s of project %s", quoted(q.Jobs), q.where(), q.Project)
}

// quoted names jobs to a person.
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

// isCommit reports whether text may be a commit's SHA, in full or not.
func isCommit(text string) bool {
	return len(text) >= 7 && len(text) <= 64 && strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

// RefMistake is what a ref seems to be that pipelines don't have. They carry the short
// name of a branch or tag.
type RefMistake string

// The mistakes.
const (
	RefFine    RefMistake = ""        // it may be a branch or tag
	RefHead    RefMistake = "HEAD"    // what is checked out
	RefCommit  RefMistake = "commit"  // a commit's SHA, or the beginning of one
	RefLong    RefMistake = "long"    // refs/heads/… or refs/tags/…
	RefEncoded RefMistake = "encoded" // with %XX, as in an address
	RefWord    RefMistake = "word"    // with an @ in front, and not [DefaultBranch]
	RefSeveral RefMistake = "several" // with a comma or a space between what may be names
	RefRemote  RefMistake = "remote"  // with the name of a remote in front, as a clone has it
	RefRequest RefMistake = "request" // the number of a merge request, behind its !
	RefAddress RefMistake = "address" // of a page
)

func refMistake(ref string) (mistake RefMistake, name string) {
	short := strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/tags/")
	plain, err := url.PathUnescape(ref)
	switch {
	case ref == "HEAD" || ref == "@":
		return RefHead, ""
	case isCommit(ref):
		return RefCommit, ""
	case short != ref:
		return RefLong, short
	case strings.Contains(ref, "://"): // no name has a colon: git-check-ref-format(1)
		return RefAddress, treeOf(ref)
	case len(ref) > 1 && ref[0] == '!' && strings.Trim(ref[1:], "0123456789") == "":
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

// treeOf returns the ref whose files or commits a page shows, or "".
func treeOf(address string) string {
	for _, page := range []string{"/-/tree/", "/-/commits/"} {
		if _, ref, ok := strings.Cut(address, page); ok {
			ref, _, _ = strings.Cut(ref, "?")
			return ref
		}
	}
	return ""
}
