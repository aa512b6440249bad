package failure

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/similar"
	"gitlab.com/artifetch/artifetch/internal/webaddress"
	"gitlab.com/artifetch/artifetch/resolve"
)

// fieldFlags are the flags for the fields of a query.
var fieldFlags = map[resolve.Field]string{
	resolve.FieldJobID: "--job-id", resolve.FieldPipelineID: "--pipeline", resolve.FieldLatest: "--pipeline",
	resolve.FieldSHA: "--sha", resolve.FieldMergeRequest: "--mr", resolve.FieldBase: "--base",
	resolve.FieldJobs: "--job", resolve.FieldRef: "--ref", resolve.FieldRecent: "--recent", resolve.FieldAnyPipeline: "--any-pipeline",
	resolve.FieldBefore: "--previous", resolve.FieldSources: "--source", resolve.FieldReports: "--report",
	resolve.FieldRequireSuccess: "--require-success", resolve.FieldAnyStatus: "--any-status",
}

// flagsOf names the flags of fields.
func flagsOf(fields []resolve.Field) string {
	flags := make([]string, len(fields))
	for i, field := range fields {
		flags[i] = fieldFlags[field]
	}
	return strings.Join(flags, " and ")
}

// Query adds the flags to an error about a query.
func Query(q resolve.Query, err error) error {
	e, ok := errors.AsType[*resolve.QueryError](err)
	if !ok {
		return err
	}
	first := e.Fields[0]
	switch e.Problem {
	case resolve.ProblemMissing:
		return missingUsage(first)
	case resolve.ProblemConflict:
		return conflictUsage(e)
	case resolve.ProblemAlone:
		return Usage("--max-age limits --recent and --any-pipeline, but neither is given", "add one of them")
	}
	switch first {
	case resolve.FieldSHA:
		return Usage("--sha must be a full commit SHA", "GitLab does not find pipelines by a short one: git rev-parse "+q.SHA)
	case resolve.FieldBase:
		return Usage("--base: CI_MERGE_REQUEST_DIFF_BASE_SHA is not a full commit SHA", "GitLab sets it in merge request pipelines; don't change it")
	case resolve.FieldSources:
		return sourceUsage(q.Sources)
	case resolve.FieldReports:
		return reportUsage(q.Reports[slices.IndexFunc(q.Reports, resolve.NotAReport)])
	}
	return ErrMergeRequest
}

// reportUsage says what is wrong with a --report.
func reportUsage(kind string) error {
	what := fmt.Sprintf("--report %q is not the type of a report", kind)
	switch lower := strings.ToLower(kind); {
	case kind == "archive":
		return Usage("--report archive: the archive is not a report", "leave out --report for the archive")
	case kind == "trace" || kind == "metadata":
		return Usage(what, "leave out --report for the archive; job log prints the log")
	case strings.Contains(kind, ","):
		return Usage(what, "repeat --report for each one")
	case lower != kind && !resolve.NotAReport(lower):
		return Usage(what, "did you mean "+lower+"?")
	}
	return Usage(what, "types have lower-case letters, digits and underscores, such as junit: artifetch job show lists those of a job")
}

// sourceUsage explains what is wrong with --source.
func sourceUsage(sources []string) error {
	for _, source := range sources {
		unwanted, name := resolve.Unwanted(source)
		switch {
		case unwanted && slices.Contains(sources, name):
			return Usage(fmt.Sprintf("--source %s and --source %s exclude each other", name, source), "leave one of them out")
		case slices.Contains(resolve.Sources(), name):
		case strings.Contains(name, ","):
			return Usage(fmt.Sprintf("--source %q is not the source of a pipeline", source), "repeat --source for each one")
		default:
			hint := "one of " + strings.Join(resolve.Sources(), ", ")
			if near := similar.Names(strings.ReplaceAll(name, "-", "_"), resolve.Sources(), 1); len(near) > 0 {
				hint = "did you mean " + near[0] + "? It is " + hint
			}
			return Usage(fmt.Sprintf("--source %q is not the source of a pipeline", source), hint)
		}
	}
	return Usage("--source parent_pipeline means child pipelines, which are searched below their parents", "leave it out, or name the child by --pipeline")
}

// ErrMergeRequest reports a --mr that isn't the number of a merge request.
var ErrMergeRequest = Usage("--mr must be a positive number", "it is the number after the ! of the merge request")

func missingUsage(field resolve.Field) error {
	switch field {
	case resolve.FieldProject:
		return ErrNoProject
	case resolve.FieldJobs:
		return Usage("no job given", "give --job NAME with --ref REF, or --job-id ID")
	}
	return Usage("no ref given", "give --ref with a branch or tag, or @default; in a job of the project, the default is the ref of its pipeline")
}

func conflictUsage(e *resolve.QueryError) error {
	first, last := e.Fields[0], e.Fields[len(e.Fields)-1]
	switch {
	case last == resolve.FieldRef && first != resolve.FieldJobID:
		return Usage(fieldFlags[first]+" and --ref each say which pipeline", "leave one of them out; only --pipeline latest goes with --ref")
	case first == resolve.FieldJobID && !slices.Contains(selectors, e.Fields[1]):
		return Usage("--job-id already says which job", "leave out "+flagsOf(e.Fields[1:]))
	case last == resolve.FieldAnyStatus:
		return Usage(fieldFlags[first]+" takes jobs that have succeeded, --any-status others too", "leave one of them out")
	case first == resolve.FieldAnyPipeline:
		return Usage("--recent searches successful pipelines, --any-pipeline all", "leave one of them out")
	case last == resolve.FieldSources:
		return Usage("--source chooses among pipelines; "+fieldFlags[first]+" names one", "leave one of them out")
	case !slices.Contains(selectors, last):
		return Usage(fieldFlags[last]+" looks through the pipelines of a ref; "+fieldFlags[first]+" names one", "leave one of them out")
	}
	return Usage(flagsOf(e.Fields)+" each say which job or pipeline", "give one of them")
}

// selectors are the fields that each select a job or pipeline.
var selectors = []resolve.Field{
	resolve.FieldJobID, resolve.FieldPipelineID, resolve.FieldLatest, resolve.FieldSHA, resolve.FieldMergeRequest, resolve.FieldBase,
}

func hintForQuery(h hinter) string {
	switch e := h.(type) {
	case *resolve.NotFoundError:
		return hintForMissing(e)
	case *resolve.AncestorError:
		if resolve.Refused(e.Err) {
			return "job tokens read commits since about GitLab 18.3: set GITLAB_TOKEN to a token with read_api"
		}
		return "the commit may have been removed, as after a rebase: name another one with --sha, or use --ref"
	case *resolve.NoArchiveError:
		if e.Reason() == resolve.ReasonReports {
			return fmt.Sprintf("it has only reports (%s); --report takes one; for an archive, add the files to artifacts:paths", strings.Join(e.Reports, ", "))
		}
	case *resolve.StateError:
		return hintForState(e)
	case *resolve.ClosedError:
		return hintForClosed(e)
	case *resolve.DownstreamError:
		return hintForDownstream(e)
	case *resolve.DefaultBranchError:
		if e.Err != nil {
			return "GitLab shows a job token the default branch of public projects only: name the branch by --ref, or set GITLAB_TOKEN to a token with read_api"
		}
	}
	return ""
}

func hintForClosed(e *resolve.ClosedError) string {
	if e.Denied() {
		return "" // its own hint says what the token lacks
	}
	if e.Query.Root {
		return `job tokens list pipelines since GitLab 19.2: set GITLAB_TOKEN to a token with read_api; or give the trigger jobs "variables: {ROOT_PIPELINE_ID: $CI_PIPELINE_ID}" at the top, and here --pipeline "$ROOT_PIPELINE_ID"`
	}
	return "job tokens list jobs since about GitLab 18.5, pipelines since 19.2: set GITLAB_TOKEN to a token with read_api, or name the job by --job-id"
}

// hintForState is for a job that hasn't succeeded.
func hintForState(e *resolve.StateError) string {
	if e.Artifact.Status == "manual" {
		return hintToPlay(e.Artifact.JobID)
	}
	if e.Required {
		return strings.TrimSpace("it was allowed to fail; --recent takes the newest successful pipeline in which it succeeded, --any-pipeline any pipeline; " + e.Artifact.WebURL)
	}
	if e.Final() {
		return strings.TrimSpace("use --any-status to fetch its artifacts anyway; " + e.Artifact.WebURL)
	}
	return strings.TrimSpace("use --wait DURATION to wait for it; " + e.Artifact.WebURL)
}

// hintToPlay is for a job that waits for a manual one, or is one itself.
func hintToPlay(id int64) string {
	return fmt.Sprintf("artifetch job play %d starts it; --wait DURATION waits for the job that you asked for", id)
}

func hintForDownstream(e *resolve.DownstreamError) string {
	refusal, ok := errors.AsType[*gitlab.Error](e.Err)
	switch {
	case e.Project == "":
		return "job tokens list trigger jobs since GitLab 19.2: set GITLAB_TOKEN to a token with read_api, or name the downstream project with --project"
	case ok && refusal.StatusCode == http.StatusForbidden:
		return "" // its own hint says what the token lacks
	}
	return fmt.Sprintf("give the token's user access to project %s, or leave out --downstream", e.Project)
}

func hintForMissing(e *resolve.NotFoundError) string {
	if hint := hintForRef(e); hint != "" {
		return hint
	}
	switch e.What {
	case "successful pipeline":
		if e.Query.Before != 0 {
			return "there may be no earlier one: --if-missing ignore continues without it; --any-pipeline also takes a job of a pipeline that failed"
		}
		return "check the ref's spelling (no refs/heads/)" + leftOut(e.Query) + "; pipelines that are running, have failed or wait for a manual job don't count: --pipeline latest takes the newest one, --any-pipeline a job that succeeded in any of them"
	case "merge request":
		return "it is the number after the ! of the merge request; it must be in this project: check --project"
	case "pipeline":
		if hint := hintForMergeRequest(e); hint != "" {
			return hint
		}
		return hintForPipeline(e.Query)
	case "job id":
		return "a job's id is the number in its address; it must be in this project: check --project"
	case "job":
		if hint := hintForName(e); hint != "" {
			return hint
		}
		return `check the job's full name ("test 1/3", "build: [linux, amd64]")` + hintForJob(e)
	}
	return ""
}

// hintForName is for the name of a job that is a job's ID, or several names.
func hintForName(e *resolve.NotFoundError) string {
	if id, err := webaddress.ID(e.Job); err == nil {
		return fmt.Sprintf("--job takes a name; if %d is the ID of a job, give --job-id %d in place of the name and the ref", id, id)
	}
	names := strings.Split(strings.ReplaceAll(e.Job, ", ", ","), ",")
	if slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(e.Names, name) }) {
		return ""
	}
	return "give each job its own --job: --job '" + strings.Join(names, "' --job '") + "'"
}

// hintForMergeRequest is for a merge request without pipelines.
func hintForMergeRequest(e *resolve.NotFoundError) string {
	switch m := e.MergeRequest; {
	case e.Unseen:
		return "check the number, and --project; job tokens read merge requests since about GitLab 18.4, users' tokens always"
	case m == nil:
		return ""
	case m.SourceProjectID == 0:
		return "its source project is gone, and with it that project's pipelines"
	case m.SourceProjectID != m.TargetProjectID:
		return fmt.Sprintf("pipelines of its source branch are in the fork: --project %d --ref %s", m.SourceProjectID, m.SourceBranch)
	case len(e.Query.Sources) > 0:
		return "it may have pipelines from other sources, which --source leaves out; those of its source branch: --ref " + m.SourceBranch
	default:
		return "pipelines of its source branch: --ref " + m.SourceBranch
	}
}

// leftOut says which options of a query leave pipelines out.
func leftOut(q resolve.Query) (text string) {
	if len(q.Sources) > 0 {
		text += "; --source leaves out pipelines from others"
	}
	if q.MaxAge > 0 {
		text += "; a longer --max-age may reach one"
	}
	return text
}

func hintForPipeline(q resolve.Query) string {
	switch {
	case q.Before != 0:
		return "there may be no earlier one: --if-missing ignore continues without it"
	case q.AnyPipeline || q.Latest:
		return "check the ref's spelling (no refs/heads/)" + leftOut(q)
	case q.Base != "":
		return "the target branch may not run pipelines for its commits; --ref takes the newest one of a branch"
	}
	return "a pipeline's id is the number in its address; it must be in this project: check --project"
}

// explainHint recommends explain, which itself omits it.
const explainHint = "; artifetch explain looks at the newest pipelines"

func hintForJob(e *resolve.NotFoundError) string {
	switch q := e.Query; {
	case q.Bare && q.Latest:
		return "; this is about the newest pipeline of the ref, --pipeline names another"
	case q.AnyPipeline, q.Base != "":
		return ", and whether it has ever succeeded" + explainHint
	case q.MaxAge > 0:
		return "; a longer --max-age may reach it"
	case q.Recent && e.Err != nil: // GitLab's own search
		return "; this token can't list jobs, so only the newest successful pipeline was searched"
	case q.Recent:
		return ", and that one of the newest successful pipelines has it"
	case q.Exact() && q.Downstream:
		return ""
	case q.Exact():
		return "; jobs of other projects' pipelines need --downstream"
	}
	return ", and that the newest successful pipeline has it; --recent looks further back"
}

// hintForRef is for a ref that isn't a branch's or tag's name.
func hintForRef(e *resolve.NotFoundError) string {
	switch mistake, name := e.RefMistake(); mistake {
	case resolve.RefHead:
		return `pipelines belong to branches and tags: find those of a commit with --sha "$(git rev-parse HEAD)"`
	case resolve.RefCommit:
		return "pipelines belong to branches and tags, and this looks like a commit: use --sha with the full commit SHA"
	case resolve.RefLong:
		return "use the short name: --ref " + name
	case resolve.RefEncoded:
		return "use the name as in Git: --ref " + name
	case resolve.RefSeveral:
		return "give each ref its own --ref; the first that has the job counts"
	case resolve.RefAround:
		return "without the spaces or quotes: --ref " + name
	case resolve.RefRemote:
		return "use the branch's name on the server: --ref " + name
	case resolve.RefRequest:
		return "a merge request is --mr " + name
	case resolve.RefAddress:
		return strings.TrimSuffix("--ref takes the name of a branch or tag: --ref "+name, ": --ref ")
	case resolve.RefWord:
		return "the default branch is --ref " + name
	}
	return ""
}

// List adds the flags to an error about the query of a list.
func List(q resolve.Query, err error) error {
	e, ok := errors.AsType[*resolve.QueryError](err)
	switch {
	case !ok:
		return err
	case e.Fields[len(e.Fields)-1] == resolve.FieldSources:
		if e.Problem == resolve.ProblemConflict {
			return conflictUsage(e)
		}
		return sourceUsage(q.Sources)
	case e.Problem == resolve.ProblemConflict:
		return Usage("--pipeline and --ref each say which pipeline", "give one of them; --pipeline latest goes with --ref")
	case e.Fields[0] == resolve.FieldProject:
		return ErrNoProject
	}
	return Usage("no ref given", "--pipeline latest is that of --ref")
}

// ErrNoProject reports that no project is given or known.
var ErrNoProject = Usage("no project: CI_PROJECT_ID is not set", "give --project with an id or a full path such as group/app")

// ErrNoProjectInBuild is ErrNoProject where there is the token of a job, but no job: an image
// is being built.
var ErrNoProjectInBuild = Usage("no project: CI_PROJECT_ID is not set", "pass CI_PROJECT_ID on, in a Dockerfile by ARG CI_PROJECT_ID and --build-arg CI_PROJECT_ID, or give --project")

// Blocked adds the manual jobs that block the newest pipeline to an error, if they are
// the reason why no pipeline has succeeded.
func Blocked(why resolve.Explanation, err error) error {
	if why.Remedy != resolve.RemedyPlay {
		return err
	}
	return &blockedError{err, why}
}

// blockedError is an error about a ref whose newest pipeline waits for a manual job.
type blockedError struct {
	error
	why resolve.Explanation
}

// Error implements error.
func (e *blockedError) Error() string {
	return strings.Join(append([]string{e.error.Error()}, e.why.Evidence...), "; ")
}

// Unwrap returns the error.
func (e *blockedError) Unwrap() error { return e.error }

// Hint says what to do next.
func (e *blockedError) Hint() string { return Remedy(e.why, e.error) }
