package gitlabtest

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

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// Env is what the environment of a job has of GitLab's predefined variables, as
// the instance's version sets them. CI_JOB_TOKEN is the first token that the world
// has for the job. What the runner itself sets, such as CI_PROJECT_DIR, is left out.
// https://docs.gitlab.com/ci/variables/predefined_variables/
func (r *Running) Env(job int64) (map[string]string, error) {
	r.state.Lock()
	defer r.state.Unlock()
	j, pipeline, project := r.world.Job(job)
	if j == nil {
		return nil, fmt.Errorf("no job %d", job)
	}
	e := environment{Server: r.Server, web: r.URL, job: j, pipeline: pipeline, project: project}
	all := map[string]string{"CI": "true", "GITLAB_CI": "true", "CI_SERVER": "yes"}
	for _, some := range []map[string]string{e.ofServer(), e.ofProject(), e.ofPipeline(), e.ofCommit(), e.ofJob(), e.ofMergeRequest(), e.ofUpstream()} {
		maps.Copy(all, some)
	}
	return all, nil
}

// environment is what the variables of a job are made from.
type environment struct {
	*Server
	web      string
	job      *Job
	pipeline *Pipeline
	project  *Project
}

func (e environment) ofServer() map[string]string {
	at, err := url.Parse(e.web)
	if err != nil { // httptest made it
		return nil
	}
	major, minor, _ := strings.Cut(e.opts.Version, ".")
	port := cmp.Or(at.Port(), map[string]string{"http": "80", "https": "443"}[at.Scheme])
	vars := map[string]string{
		"CI_API_V4_URL": e.web + "/api/v4", "CI_SERVER_URL": e.web, "CI_SERVER_HOST": at.Hostname(), "CI_SERVER_PORT": port,
		"CI_SERVER_PROTOCOL": at.Scheme, "CI_SERVER_NAME": "GitLab", "CI_SERVER_REVISION": "0a1b2c3d4e5",
		"CI_SERVER_VERSION": e.opts.Version + ".0-ee", "CI_SERVER_VERSION_MAJOR": major, "CI_SERVER_VERSION_MINOR": minor, "CI_SERVER_VERSION_PATCH": "0",
	}
	if e.has(featFQDN) {
		vars["CI_SERVER_FQDN"] = at.Host
	}
	return vars
}

func (e environment) ofProject() map[string]string {
	p := e.project
	return map[string]string{
		"CI_PROJECT_ID": id(p.ID), "CI_PROJECT_PATH": p.Path, "CI_PROJECT_NAME": path.Base(p.Path), "CI_PROJECT_NAMESPACE": path.Dir(p.Path),
		"CI_PROJECT_PATH_SLUG": slug(p.Path), "CI_PROJECT_URL": e.web + "/" + p.Path, "CI_PROJECT_VISIBILITY": p.Visibility,
		"CI_DEFAULT_BRANCH": p.DefaultBranch,
	}
}

func (e environment) ofPipeline() map[string]string {
	p := e.pipeline
	vars := map[string]string{
		"CI_PIPELINE_ID": id(p.ID), "CI_PIPELINE_IID": id(p.ID % 100), "CI_PIPELINE_SOURCE": p.SourceName(),
		"CI_PIPELINE_URL":        fmt.Sprintf("%s/%s/-/pipelines/%d", e.web, e.project.Path, p.ID),
		"CI_PIPELINE_CREATED_AT": p.CreatedAt.UTC().Format(time.RFC3339), "CI_PIPELINE_NAME": p.Name,
		"GITLAB_USER_LOGIN": p.Starter(), "GITLAB_USER_NAME": p.Starter(), "GITLAB_USER_ID": id(userID(p.Starter())),
	}
	if p.Schedule != "" && e.has(featScheduleVariable) {
		vars["CI_PIPELINE_SCHEDULE_DESCRIPTION"] = p.Schedule
	}
	return vars
}

// ofCommit is predefined_commit_variables of
// lib/gitlab/ci/variables/builder/pipeline.rb. In a merge request pipeline the name
// of the ref is the source branch, and there is no branch.
func (e environment) ofCommit() map[string]string {
	p := e.pipeline
	m, event := e.project.MergeRequestOf(p)
	ref := p.Ref
	if m != nil {
		ref = m.SourceBranch
	}
	vars := map[string]string{
		"CI_COMMIT_SHA": p.SHA, "CI_COMMIT_SHORT_SHA": p.SHA[:min(len(p.SHA), 8)], "CI_COMMIT_BEFORE_SHA": strings.Repeat("0", 40),
		"CI_COMMIT_REF_NAME": ref, "CI_COMMIT_REF_SLUG": slug(ref), "CI_COMMIT_REF_PROTECTED": strconv.FormatBool(ref == e.project.DefaultBranch),
	}
	switch {
	case p.Tag:
		vars["CI_COMMIT_TAG"] = ref
	case event == "":
		vars["CI_COMMIT_BRANCH"] = ref
	}
	if commit := e.project.CommitOf(p); commit != nil {
		vars["CI_COMMIT_TITLE"] = cmp.Or(commit.Title, "A change")
	}
	return vars
}

func (e environment) ofJob() map[string]string {
	j := e.job
	index, total := e.parallel()
	_, started, _ := j.Times(e.pipeline)
	vars := map[string]string{
		"CI_JOB_ID": id(j.ID), "CI_JOB_NAME": j.Name, "CI_JOB_NAME_SLUG": slug(j.Name), "CI_JOB_STAGE": cmp.Or(j.Stage, "test"),
		"CI_JOB_URL": fmt.Sprintf("%s/%s/-/jobs/%d", e.web, e.project.Path, j.ID), "CI_NODE_TOTAL": strconv.Itoa(total),
	}
	if !started.IsZero() {
		vars["CI_JOB_STARTED_AT"] = started.UTC().Format(time.RFC3339)
	}
	if index > 0 {
		vars["CI_NODE_INDEX"] = strconv.Itoa(index)
	}
	if i := slices.IndexFunc(e.world.Tokens, func(t *Token) bool { return t.Kind == KindJob && t.Job == j.ID }); i >= 0 {
		vars["CI_JOB_TOKEN"] = e.world.Tokens[i].Value
	}
	return vars
}

var numbered = regexp.MustCompile(` (\d+)/(\d+)$`)

// parallel is the place of a job among those that parallel makes, whose names end
// in " 1/3" or, of a matrix, in ": [a, b]"; of any other job, it is the total 1.
func (e environment) parallel() (index, total int) {
	if found := numbered.FindStringSubmatch(e.job.Name); found != nil {
		index, _ = strconv.Atoi(found[1])
		total, _ = strconv.Atoi(found[2])
		return index, total
	}
	name, _, matrix := strings.Cut(e.job.Name, ": [")
	for _, j := range e.pipeline.Jobs {
		if sibling, _, ok := strings.Cut(j.Name, ": ["); matrix && ok && sibling == name && !j.Retried {
			total++
			if j == e.job {
				index = total
			}
		}
	}
	return index, max(total, 1)
}

// ofMergeRequest are the variables of merge request pipelines and their children;
// and, of branch pipelines too, the open merge requests of the branch.
func (e environment) ofMergeRequest() map[string]string {
	vars := map[string]string{}
	m, event := e.project.MergeRequestOf(e.pipeline)
	var open []string
	for _, other := range e.project.MergeRequests {
		branch := e.pipeline.Ref
		if m != nil {
			branch = m.SourceBranch
		}
		if other.Status() == "opened" && other.SourceBranch == branch && !e.pipeline.Tag && len(open) < 4 {
			open = append(open, fmt.Sprintf("%s!%d", e.project.Path, other.IID))
		}
	}
	if len(open) > 0 {
		vars["CI_OPEN_MERGE_REQUESTS"] = strings.Join(open, ",")
	}
	if m == nil {
		return vars
	}
	maps.Copy(vars, map[string]string{
		"CI_MERGE_REQUEST_ID": id(m.ID(e.project)), "CI_MERGE_REQUEST_IID": id(m.IID), "CI_MERGE_REQUEST_REF_PATH": m.Refs()[0],
		"CI_MERGE_REQUEST_PROJECT_ID": id(e.project.ID), "CI_MERGE_REQUEST_PROJECT_PATH": e.project.Path,
		"CI_MERGE_REQUEST_PROJECT_URL":         e.web + "/" + e.project.Path,
		"CI_MERGE_REQUEST_EVENT_TYPE":          event,
		"CI_MERGE_REQUEST_TITLE":               title(m),
		"CI_MERGE_REQUEST_SOURCE_PROJECT_ID":   id(cmp.Or(m.SourceProject, e.project.ID)),
		"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME":  m.SourceBranch,
		"CI_MERGE_REQUEST_TARGET_BRANCH_NAME":  m.TargetBranch,
		"CI_MERGE_REQUEST_DIFF_BASE_SHA":       m.BaseSHA,
		"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA":   "",
		"CI_MERGE_REQUEST_TARGET_BRANCH_SHA":   "",
		"CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": e.project.Path,
	})
	if event != world.Detached {
		vars["CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"], vars["CI_MERGE_REQUEST_TARGET_BRANCH_SHA"] = m.SHA, m.StartSHA
	}
	if fork, _ := e.world.Project(vars["CI_MERGE_REQUEST_SOURCE_PROJECT_ID"]); fork != nil {
		vars["CI_MERGE_REQUEST_SOURCE_PROJECT_PATH"] = fork.Path
	}
	return vars
}

// ofUpstream is predefined_upstream_variables of the same file.
func (e environment) ofUpstream() map[string]string {
	up, found := e.world.Upstream(e.pipeline)
	if !found || !e.has(featUpstream) {
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
