package failure

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// fieldFlags are the flags that fill the fields of a query.
var fieldFlags = map[resolve.Field]string{
	resolve.FieldJobID: "--job-id", resolve.FieldPipelineID: "--pipeline", resolve.FieldLatest: "--pipeline",
	resolve.FieldSHA: "--sha", resolve.FieldMergeRequest: "--mr",
}

// Query says which flags a mistake in a query is about.
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
		return Usage("--max-age bounds --recent, which is not given", "add --recent")
	}
	if first == resolve.FieldSHA {
		return Usage("--sha must be a full commit SHA", "GitLab does not find pipelines by a short one: git rev-parse "+q.SHA)
	}
	return ErrMergeRequest
}

// ErrMergeRequest reports a --mr that is no number of a merge request.
var ErrMergeRequest = Usage("--mr must be a positive number", "it is the number behind the ! of the merge request")

func missingUsage(field resolve.Field) error {
	switch field {
	case resolve.FieldProject:
		return ErrNoProject
	case resolve.FieldJobs:
		return Usage("no job given", "give --job NAME with --ref REF, or --job-id ID")
	}
	return Usage("no ref given", "give --ref with a branch or tag; the running pipeline's is the default in the own project only")
}

func conflictUsage(e *resolve.QueryError) error {
	switch {
	case slices.Contains(e.Fields, resolve.FieldMoreRefs):
		return Usage("--ref is there several times, and "+fieldFlags[e.Fields[0]]+" says which pipeline", "leave one of them out")
	case slices.Contains(e.Fields, resolve.FieldRecent):
		return Usage("--recent looks through the pipelines of a ref; "+fieldFlags[e.Fields[0]]+" names one", "leave one of them out")
	case slices.Contains(e.Fields, resolve.FieldJobs), slices.Contains(e.Fields, resolve.FieldRef):
		return Usage("--job-id says which job alone", "leave out --ref and --job")
	}
	flags := make([]string, len(e.Fields))
	for i, field := range e.Fields {
		flags[i] = fieldFlags[field]
	}
	return Usage(strings.Join(flags, " and ")+" each say which job or pipeline", "give one of them")
}

func hintForQuery(h hinter) string {
	switch e := h.(type) {
	case *resolve.NotFoundError:
		return hintForMissing(e)
	case *resolve.StateError:
		if e.Final() {
			return strings.TrimSpace("use --any-status to fetch its artifacts anyway; " + e.Artifact.WebURL)
		}
		return strings.TrimSpace("use --wait DURATION to wait for it; " + e.Artifact.WebURL)
	case *resolve.ClosedError:
		if e.Query.Root {
			return `job tokens list pipelines since GitLab 19.2: set GITLAB_TOKEN to a token with read_api; or give the trigger jobs "variables: {ROOT_PIPELINE_ID: $CI_PIPELINE_ID}" at the top, and here --pipeline "$ROOT_PIPELINE_ID"`
		}
		return "job tokens list jobs since about GitLab 18.5, pipelines since 19.2: set GITLAB_TOKEN to a token with read_api, or name the job by --job-id"
	case *resolve.DownstreamError:
		return hintForDownstream(e)
	case *resolve.DefaultBranchError:
		if e.Err != nil {
			return "GitLab shows a job token the default branch of public projects only: name the branch by --ref, or set GITLAB_TOKEN to a token with read_api"
		}
	}
	return ""
}

func hintForDownstream(e *resolve.DownstreamError) string {
	refusal, ok := errors.AsType[*gitlab.Error](e.Err)
	switch {
	case e.Project == "":
		return "job tokens list trigger jobs since GitLab 19.2: set GITLAB_TOKEN to a token with read_api, or name the downstream project with --project"
	case ok && refusal.StatusCode == http.StatusForbidden:
		return "" // its own says what the token lacks
	}
	return fmt.Sprintf("give the token's user access to project %s, or leave out --downstream", e.Project)
}

func hintForMissing(e *resolve.NotFoundError) string {
	if hint := hintForRef(e); hint != "" {
		return hint
	}
	switch e.What {
	case "successful pipeline":
		return "check the ref's spelling (no refs/heads/); a pipeline that runs, failed or waits for a manual job does not count: --pipeline latest takes it"
	case "merge request":
		return "it is the number behind the ! of the merge request; it must be of this project: check --project"
	case "pipeline":
		if hint := hintForMergeRequest(e); hint != "" {
			return hint
		}
		return "a pipeline's id is the number in its address; it must be of this project: check --project"
	case "job id":
		return "a job's id is the number in its address; it must be of this project: check --project"
	case "job":
		return `check the job's full name ("test 1/3", "build: [linux, amd64]")` + hintForJob(e.Query)
	}
	return ""
}

// hintForMergeRequest is about a merge request without pipelines.
func hintForMergeRequest(e *resolve.NotFoundError) string {
	switch m := e.MergeRequest; {
	case e.Unseen:
		return "check the number, and --project; job tokens read merge requests since about GitLab 18.4, users' tokens always"
	case m == nil:
		return ""
	case m.SourceProjectID != m.TargetProjectID:
		return fmt.Sprintf("pipelines of its source branch are in the fork: --project %d --ref %s", m.SourceProjectID, m.SourceBranch)
	default:
		return "pipelines of its source branch: --ref " + m.SourceBranch
	}
}

func hintForJob(q resolve.Query) string {
	switch {
	case q.Recent:
		return "; --max-age may end the search early, and GitLab before 18.10 does not know it with this token"
	case q.Exact() && q.Downstream:
		return ""
	case q.Exact():
		return "; jobs of other projects' pipelines need --downstream"
	}
	return ", and that the newest successful pipeline has it; --recent looks further back"
}

// hintForRef is about a ref that isn't the name of a branch or tag.
func hintForRef(e *resolve.NotFoundError) string {
	switch mistake, name := e.RefMistake(); mistake {
	case resolve.RefHead:
		return `pipelines belong to branches and tags: find those of a commit with --sha "$(git rev-parse HEAD)"`
	case resolve.RefCommit:
		return "pipelines belong to branches and tags, and this looks like a commit: use --sha with the full commit SHA"
	case resolve.RefLong:
		return "use the short name: --ref " + name
	case resolve.RefEncoded:
		return "use the name as Git has it: --ref " + name
	case resolve.RefWord:
		return "the default branch is --ref " + name
	}
	return ""
}

// List says which flags a mistake in the query of a list is about.
func List(err error) error {
	e, ok := errors.AsType[*resolve.QueryError](err)
	switch {
	case !ok:
		return err
	case e.Problem == resolve.ProblemConflict:
		return Usage("--pipeline and --ref each say which pipeline", "give one of them; --pipeline latest goes with --ref")
	case e.Fields[0] == resolve.FieldProject:
		return ErrNoProject
	}
	return Usage("no ref given", "--pipeline latest is that of --ref")
}

// ErrNoProject reports that no project is given, and none is known.
var ErrNoProject = Usage("no project: CI_PROJECT_ID is not set", "give --project with an id or a full path such as group/app")
