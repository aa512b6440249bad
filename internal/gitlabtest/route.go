package gitlabtest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/access"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/feature"
)

// call is a request that found its route.
type call struct {
	s         *Server
	w         *answer.Reply
	r         *http.Request
	caller    access.Caller
	project   *Project
	id        int64    // of a job, a pipeline or a merge request
	rest      []string // the other path segments, unescaped
	unshifted bool     // its list doesn't change between pages
}

// route finds the handler by the escaped path: %2F in a segment isn't a slash.
func (s *Server) route(w *answer.Reply, r *http.Request) {
	below, ok := s.apiPath(r)
	if !ok {
		answer.Page(w, http.StatusNotFound, "404 Not Found")
		return
	}
	parts := strings.Split(below, "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil {
			answer.Invalid(w, "path is invalid")
			return
		}
		parts[i] = plain
	}
	c := &call{s: s, w: w, r: r}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		c.get(parts)
	case http.MethodPost:
		c.post(parts)
	case http.MethodDelete:
		c.delete(parts)
	default:
		answer.NotAllowed(w) // no other method is simulated
	}
}

func (c *call) get(parts []string) {
	switch {
	case parts[0] == "projects" && len(parts) >= 2:
		c.getOfProject(parts[1], parts[2:])
	case len(parts) == 3 && parts[0] == "jobs" && parts[2] == "artifacts":
		c.runnerArchive(parts[1])
	case len(parts) == 1 && parts[0] == "job":
		c.currentJob()
	case len(parts) == 1 && parts[0] == "user":
		c.currentUser()
	case len(parts) == 1 && (parts[0] == "version" || parts[0] == "metadata" && c.s.has(feature.Metadata)):
		c.metadata()
	case len(parts) == 2 && parts[0] == "personal_access_tokens" && parts[1] == "self" && c.s.has(feature.TokenSelf):
		c.ownToken()
	case len(parts) == 1 && parts[0] == "projects":
		c.listProjects()
	default:
		answer.NoRoute(c.w)
	}
}

// getOfProject routes /projects/:id/….
func (c *call) getOfProject(project string, parts []string) {
	if len(parts) == 0 {
		c.showProject(project)
		return
	}
	switch below := parts[1:]; parts[0] {
	case "jobs":
		c.projectJobs(project, below)
	case "pipelines":
		c.projectPipelines(project, below)
	case "merge_requests":
		c.projectMergeRequests(project, below)
	case "repository":
		c.repository(project, below)
	case "artifacts":
		answer.NotAllowed(c.w)
	default:
		answer.NoRoute(c.w)
	}
}

func (c *call) post(parts []string) {
	switch {
	case parts[0] == "jobs" && len(parts) == 3 && parts[2] == "artifacts":
		c.upload(parts[1])
	case parts[0] == "jobs" && len(parts) == 4 && parts[2] == "artifacts" && parts[3] == "authorize":
		c.authorizeUpload(parts[1])
	case parts[0] != "projects" || len(parts) < 5 || parts[2] != "jobs" || parts[3] == "artifacts":
		answer.NotAllowed(c.w)
	default:
		c.actOnJob(parts[1], parts[3], strings.Join(parts[4:], "/"))
	}
}

// actOnJob routes POST /projects/:id/jobs/:job_id/….
func (c *call) actOnJob(project, id, action string) {
	switch action {
	case "cancel":
		c.cancel(project, id)
	case "retry":
		c.retry(project, id)
	case "erase":
		c.erase(project, id)
	case "play":
		c.play(project, id)
	case "artifacts/keep":
		c.keep(project, id)
	default:
		answer.NotAllowed(c.w)
	}
}

func (c *call) delete(parts []string) {
	switch {
	case parts[0] == "projects" && len(parts) == 3 && parts[2] == "artifacts":
		c.deleteAllArtifacts(parts[1])
	case parts[0] == "projects" && len(parts) == 5 && parts[2] == "jobs" && parts[4] == "artifacts":
		c.deleteArtifacts(parts[1], parts[3])
	default:
		answer.NotAllowed(c.w)
	}
}

// projectJobs routes /projects/:id/jobs/….
func (c *call) projectJobs(project string, parts []string) {
	switch {
	case len(parts) == 0:
		c.listProjectJobs(project)
	case parts[0] == "artifacts" && len(parts) >= 3 && parts[len(parts)-1] == "download":
		c.rest = []string{strings.Join(parts[1:len(parts)-1], "/")}
		c.refArchive(project)
	case parts[0] == "artifacts" && len(parts) >= 4 && slices.Contains(parts[2:len(parts)-1], "raw"):
		// :ref_name is greedy: the last literal "/raw/" separates it from the path.
		raw := len(parts) - 2
		for parts[raw] != "raw" {
			raw--
		}
		c.rest = []string{strings.Join(parts[1:raw], "/"), strings.Join(parts[raw+1:], "/")}
		c.refFile(project)
	case len(parts) == 1:
		c.showJob(project, parts[0])
	case len(parts) == 2 && parts[1] == "trace":
		c.trace(project, parts[0])
	case len(parts) == 2 && slices.Contains([]string{"cancel", "retry", "erase", "play"}, parts[1]):
		answer.NotAllowed(c.w)
	case !c.number(parts[0]):
		answer.Invalid(c.w, "job_id is invalid")
	case len(parts) == 2 && parts[1] == "artifacts":
		c.jobArchive(project)
	case len(parts) == 3 && parts[1] == "artifacts" && parts[2] == "tree" && c.s.has(feature.Tree):
		c.tree(project)
	case len(parts) > 2 && parts[1] == "artifacts":
		c.rest = []string{strings.Join(parts[2:], "/")}
		c.jobFile(project)
	default:
		answer.NoRoute(c.w)
	}
}

// projectPipelines routes /projects/:id/pipelines/….
func (c *call) projectPipelines(project string, parts []string) {
	switch {
	case len(parts) == 0:
		c.listPipelines(project)
	case len(parts) == 1 && parts[0] == "latest":
		c.latestPipeline(project)
	case !c.number(parts[0]):
		answer.Invalid(c.w, "pipeline_id is invalid")
	case len(parts) == 1:
		c.showPipeline(project)
	case len(parts) == 2 && parts[1] == "jobs":
		c.listPipelineJobs(project)
	case len(parts) == 2 && (parts[1] == "bridges" || parts[1] == "trigger_jobs" && c.s.has(feature.TriggerJobs)):
		c.listBridges(project)
	default:
		answer.NoRoute(c.w)
	}
}

func (c *call) number(part string) bool {
	id, err := strconv.ParseInt(part, 10, 64)
	c.id = id
	return err == nil
}

// enter identifies the caller and finds the project. If it can't, it writes the answer
// and returns false. permission is what a job token needs; it is empty if the route
// doesn't accept job tokens.
func (c *call) enter(project, permission string) bool {
	var ok bool
	if c.caller, ok = c.s.identify(c.w, c.r, permission != ""); !ok {
		return false
	}
	c.project = c.s.project(c.w, c.r, project, c.caller)
	return c.project != nil && c.permitted(permission)
}

// origin returns the instance's origin as the client sees it.
func origin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
