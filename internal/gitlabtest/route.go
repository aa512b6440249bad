package gitlabtest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// call is one request that found its route.
type call struct {
	s       *Server
	w       http.ResponseWriter
	r       *http.Request
	caller  caller
	project *Project
	id      int64    // of a job or pipeline
	rest    []string // segments behind, unescaped
}

// route finds the handler by the escaped path: %2F in a segment is no slash.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	below, ok := s.apiPath(r)
	if !ok {
		page(w, http.StatusNotFound, "404 Not Found")
		return
	}
	parts := strings.Split(below, "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil {
			invalid(w, "path is invalid")
			return
		}
		parts[i] = plain
	}
	c := &call{s: s, w: w, r: r}
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		notAllowed(w) // nothing here is simulated but what reads
	case parts[0] == "projects" && len(parts) >= 3 && parts[2] == "jobs":
		c.projectJobs(parts[1], parts[3:])
	case parts[0] == "projects" && len(parts) >= 3 && parts[2] == "pipelines":
		c.projectPipelines(parts[1], parts[3:])
	case len(parts) == 3 && parts[0] == "jobs" && parts[2] == "artifacts":
		c.runnerArchive(parts[1])
	case len(parts) == 1 && parts[0] == "job":
		c.currentJob()
	case len(parts) == 1 && parts[0] == "user":
		c.currentUser()
	default:
		noRoute(w)
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
		// :ref_name is greedy: the last literal "/raw/" separates.
		raw := len(parts) - 2
		for parts[raw] != "raw" {
			raw--
		}
		c.rest = []string{strings.Join(parts[1:raw], "/"), strings.Join(parts[raw+1:], "/")}
		c.refFile(project)
	case len(parts) == 1:
		c.showJob(project, parts[0])
	case !c.number(parts[0]):
		invalid(c.w, "job_id is invalid")
	case len(parts) == 2 && parts[1] == "artifacts":
		c.jobArchive(project)
	case len(parts) == 3 && parts[1] == "artifacts" && parts[2] == "tree" && c.s.since(18, 8):
		c.tree(project)
	case len(parts) > 2 && parts[1] == "artifacts":
		c.rest = []string{strings.Join(parts[2:], "/")}
		c.jobFile(project)
	default:
		noRoute(c.w)
	}
}

// projectPipelines routes /projects/:id/pipelines/….
func (c *call) projectPipelines(project string, parts []string) {
	switch {
	case len(parts) == 0:
		c.listPipelines(project)
	case !c.number(parts[0]):
		invalid(c.w, "pipeline_id is invalid")
	case len(parts) == 1:
		c.showPipeline(project)
	case len(parts) == 2 && parts[1] == "jobs":
		c.listPipelineJobs(project)
	case len(parts) == 2 && (parts[1] == "bridges" || parts[1] == "trigger_jobs" && c.s.since(19, 2)):
		c.listBridges(project)
	default:
		noRoute(c.w)
	}
}

func (c *call) number(part string) bool {
	id, err := strconv.ParseInt(part, 10, 64)
	c.id = id
	return err == nil
}

// enter identifies the caller and finds the project; false means that the
// answer was given.
func (c *call) enter(project string, takesJobs bool) bool {
	var ok bool
	if c.caller, ok = c.s.identify(c.w, c.r, takesJobs); !ok {
		return false
	}
	c.project = c.s.project(c.w, c.r, project, c.caller)
	return c.project != nil
}

// origin is the instance's, as the client sees it.
func origin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
