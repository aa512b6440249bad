// Package predefined makes a job's predefined CI/CD variables.
package predefined

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/entity"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/feature"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// Job is the job whose variables are needed, and everything they depend on.
type Job struct {
	World    *world.World
	Job      *world.Job
	Pipeline *world.Pipeline
	Project  *world.Project
	Web      string // the address of the instance
	Version  string // of the instance
	Has      func(feature.Name) bool
}

// Variables returns the variables that GitLab's version sets for the job. CI_JOB_TOKEN is
// the world's first token for the job. Variables that the runner sets, such as
// CI_PROJECT_DIR, are missing.
// https://docs.gitlab.com/ci/variables/predefined_variables/
func (e Job) Variables() map[string]string {
	all := map[string]string{"CI": "true", "GITLAB_CI": "true", "CI_SERVER": "yes"}
	for _, some := range []map[string]string{e.ofServer(), e.ofProject(), e.ofPipeline(), e.ofCommit(), e.ofJob(), e.ofMergeRequest(), e.ofUpstream()} {
		maps.Copy(all, some)
	}
	return all
}

func (e Job) ofServer() map[string]string {
	at, err := url.Parse(e.Web)
	if err != nil { // httptest created it
		return nil
	}
	major, minor, _ := strings.Cut(e.Version, ".")
	port := cmp.Or(at.Port(), map[string]string{"http": "80", "https": "443"}[at.Scheme])
	vars := map[string]string{
		"CI_API_V4_URL": e.Web + "/api/v4", "CI_SERVER_URL": e.Web, "CI_SERVER_HOST": at.Hostname(), "CI_SERVER_PORT": port,
		"CI_SERVER_PROTOCOL": at.Scheme, "CI_SERVER_NAME": "GitLab", "CI_SERVER_REVISION": "0a1b2c3d4e5",
		"CI_SERVER_VERSION": e.Version + ".0-ee", "CI_SERVER_VERSION_MAJOR": major, "CI_SERVER_VERSION_MINOR": minor, "CI_SERVER_VERSION_PATCH": "0",
	}
	if e.Has(feature.FQDN) {
		vars["CI_SERVER_FQDN"] = at.Host
	}
	return vars
}

func (e Job) ofProject() map[string]string {
	p := e.Project
	return map[string]string{
		"CI_PROJECT_ID": id(p.ID), "CI_PROJECT_PATH": p.Path, "CI_PROJECT_NAME": path.Base(p.Path), "CI_PROJECT_NAMESPACE": path.Dir(p.Path),
		"CI_PROJECT_PATH_SLUG": slug(p.Path), "CI_PROJECT_URL": e.Web + "/" + p.Path, "CI_PROJECT_VISIBILITY": p.Visibility,
		"CI_DEFAULT_BRANCH": p.DefaultBranch,
	}
}

func (e Job) ofPipeline() map[string]string {
	p := e.Pipeline
	vars := map[string]string{
		"CI_PIPELINE_ID": id(p.ID), "CI_PIPELINE_IID": id(p.ID % 100), "CI_PIPELINE_SOURCE": p.SourceName(),
		"CI_PIPELINE_URL":        fmt.Sprintf("%s/%s/-/pipelines/%d", e.Web, e.Project.Path, p.ID),
		"CI_PIPELINE_CREATED_AT": p.CreatedAt.UTC().Format(time.RFC3339), "CI_PIPELINE_NAME": p.Name,
		"GITLAB_USER_LOGIN": p.Starter(), "GITLAB_USER_NAME": p.Starter(), "GITLAB_USER_ID": id(entity.UserID(p.Starter())),
	}
	if p.Schedule != "" && e.Has(feature.ScheduleVariable) {
		vars["CI_PIPELINE_SCHEDULE_DESCRIPTION"] = p.Schedule
	}
	return vars
}

// ofCommit is predefined_commit_variables of lib/gitlab/ci/variables/builder/pipeline.rb.
// In a merge request pipeline, the ref's name is the source branch, and CI_COMMIT_BRANCH
// isn't set.
func (e Job) ofCommit() map[string]string {
	p := e.Pipeline
	m, event := e.Project.MergeRequestOf(p)
	ref := p.Ref
	if m != nil {
		ref = m.SourceBranch
	}
	vars := map[string]string{
		"CI_COMMIT_SHA": p.SHA, "CI_COMMIT_SHORT_SHA": p.SHA[:min(len(p.SHA), 8)], "CI_COMMIT_BEFORE_SHA": strings.Repeat("0", 40),
		"CI_COMMIT_REF_NAME": ref, "CI_COMMIT_REF_SLUG": slug(ref), "CI_COMMIT_REF_PROTECTED": strconv.FormatBool(ref == e.Project.DefaultBranch),
	}
	switch {
	case p.Tag:
		vars["CI_COMMIT_TAG"] = ref
	case event == "":
		vars["CI_COMMIT_BRANCH"] = ref
	}
	if commit := e.Project.CommitOf(p); commit != nil {
		vars["CI_COMMIT_TITLE"] = cmp.Or(commit.Title, "A change")
	}
	return vars
}

func (e Job) ofJob() map[string]string {
	j := e.Job
	index, total := e.parallel()
	_, started, _ := j.Times(e.Pipeline)
	vars := map[string]string{
		"CI_JOB_ID": id(j.ID), "CI_JOB_NAME": j.Name, "CI_JOB_NAME_SLUG": slug(j.Name), "CI_JOB_STAGE": cmp.Or(j.Stage, "test"),
		"CI_JOB_URL": fmt.Sprintf("%s/%s/-/jobs/%d", e.Web, e.Project.Path, j.ID), "CI_NODE_TOTAL": strconv.Itoa(total),
	}
	if !started.IsZero() {
		vars["CI_JOB_STARTED_AT"] = started.UTC().Format(time.RFC3339)
	}
	if index > 0 {
		vars["CI_NODE_INDEX"] = strconv.Itoa(index)
	}
	if i := slices.IndexFunc(e.World.Tokens, func(t *world.Token) bool { return t.Kind == world.KindJob && t.Job == j.ID }); i >= 0 {
		vars["CI_JOB_TOKEN"] = e.World.Tokens[i].Value
	}
	return vars
}

var numbered = regexp.MustCompile(` (\d+)/(\d+)$`)

// parallel returns the job's index among the jobs that parallel creates, whose names
// end in " 1/3" or, for a matrix, in ": [a, b]". Any other job has no index, and the
// total is 1.
func (e Job) parallel() (index, total int) {
	if found := numbered.FindStringSubmatch(e.Job.Name); found != nil {
		index, _ = strconv.Atoi(found[1])
		total, _ = strconv.Atoi(found[2])
		return index, total
	}
	name, _, matrix := strings.Cut(e.Job.Name, ": [")
	for _, j := range e.Pipeline.Jobs {
		if sibling, _, ok := strings.Cut(j.Name, ": ["); matrix && ok && sibling == name && !j.Retried {
			total++
			if j == e.Job {
				index = total
			}
		}
	}
	return index, max(total, 1)
}

// ofMergeRequest returns the variables of merge request pipelines and their children.
// Branch pipelines also get the branch's open merge requests.
func (e Job) ofMergeRequest() map[string]string {
	vars := map[string]string{}
	m, event := e.Project.MergeRequestOf(e.Pipeline)
	var open []string
	for _, other := range e.Project.MergeRequests {
		branch := e.Pipeline.Ref
		if m != nil {
			branch = m.SourceBranch
		}
		if other.Status() == "opened" && other.SourceBranch == branch && !e.Pipeline.Tag && len(open) < 4 {
			open = append(open, fmt.Sprintf("%s!%d", e.Project.Path, other.IID))
		}
	}
	if len(open) > 0 {
		vars["CI_OPEN_MERGE_REQUESTS"] = strings.Join(open, ",")
	}
	if m == nil {
		return vars
	}
	maps.Copy(vars, map[string]string{
		"CI_MERGE_REQUEST_ID": id(m.ID(e.Project)), "CI_MERGE_REQUEST_IID": id(m.IID), "CI_MERGE_REQUEST_REF_PATH": m.Refs()[0],
		"CI_MERGE_REQUEST_PROJECT_ID": id(e.Project.ID), "CI_MERGE_REQUEST_PROJECT_PATH": e.Project.Path,
		"CI_MERGE_REQUEST_PROJECT_URL":         e.Web + "/" + e.Project.Path,
		"CI_MERGE_REQUEST_EVENT_TYPE":          event,
		"CI_MERGE_REQUEST_TITLE":               entity.Title(m),
		"CI_MERGE_REQUEST_SOURCE_PROJECT_ID":   id(cmp.Or(m.SourceProject, e.Project.ID)),
		"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME":  m.SourceBranch,
		"CI_MERGE_REQUEST_TARGET_BRANCH_NAME":  m.TargetBranch,
		"CI_MERGE_REQUEST_DIFF_BASE_SHA":       m.BaseSHA,
		"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA":   "",
		"CI_MERGE_REQUEST_TARGET_BRANCH_SHA":   "",
		"CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": e.Project.Path,
	})
	if event != world.Detached {
		vars["CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"], vars["CI_MERGE_REQUEST_TARGET_BRANCH_SHA"] = m.SHA, m.StartSHA
	}
	if fork, _ := e.World.Project(vars["CI_MERGE_REQUEST_SOURCE_PROJECT_ID"]); fork != nil {
		vars["CI_MERGE_REQUEST_SOURCE_PROJECT_PATH"] = fork.Path
	}
	return vars
}

// ofUpstream is predefined_upstream_variables of the same file.
func (e Job) ofUpstream() map[string]string {
	up, found := e.World.Upstream(e.Pipeline)
	if !found || !e.Has(feature.Upstream) {
		return nil
	}
	return map[string]string{
		"CI_UPSTREAM_PIPELINE_ID": id(up.Pipeline.ID), "CI_UPSTREAM_PROJECT_ID": id(up.Project.ID), "CI_UPSTREAM_JOB_ID": id(up.Bridge.ID),
	}
}

func id(n int64) string { return strconv.FormatInt(n, 10) }

var notSlug = regexp.MustCompile(`[^a-z0-9]`)

// slug is Gitlab::Utils.slugify.
func slug(s string) string {
	s = notSlug.ReplaceAllString(strings.ToLower(s), "-")
	return strings.Trim(s[:min(len(s), 63)], "-")
}
