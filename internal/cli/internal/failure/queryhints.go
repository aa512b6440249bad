package failure

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/webaddress"
	"gitlab.com/artifetch/artifetch/resolve"
)

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
