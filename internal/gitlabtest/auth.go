package gitlabtest

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// caller is who asks. The zero value is nobody.
type caller struct {
	token *Token
	job   bool // by a job token
}

// identify finds the caller as lib/gitlab/auth/auth_finders.rb does: personal
// and OAuth tokens first, then job tokens. takesJobs tells whether the route is
// flagged for job tokens; where it is not, one is ignored, so that its caller is
// nobody. It answers itself, and returns false, if a credential is refused.
func (s *Server) identify(w http.ResponseWriter, r *http.Request, takesJobs bool) (caller, bool) {
	if value := personalToken(r); value != "" {
		t := s.world.token(value)
		switch {
		case t != nil && t.Kind == KindJob, t == nil && strings.HasPrefix(value, "glcbt-"):
			// A job token as a personal one is nobody's; as a bearer it counts.
			if strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") && takesJobs && t != nil && !t.Dead {
				return caller{t, true}, true
			}
			return caller{}, true
		case t == nil:
			unauthorized(w)
			return caller{}, false
		case t.Dead:
			w.Header().Set("WWW-Authenticate", `Bearer realm="Protected by OAuth 2.0", error="invalid_token"`)
			respond(w, http.StatusUnauthorized, map[string]string{
				"error": "invalid_token", "error_description": "Token is expired. You can either do re-authorization or token refresh.",
			})
			return caller{}, false
		}
		return caller{token: t}, true
	}
	value := firstOf(r.URL.Query().Get("job_token"), r.URL.Query().Get("token"), r.Header.Get("Job-Token"))
	if value == "" || !takesJobs {
		return caller{}, true
	}
	t := s.world.token(value)
	if t == nil || t.Kind != KindJob || t.Dead {
		unauthorized(w)
		return caller{}, false
	}
	return caller{t, true}, true
}

func personalToken(r *http.Request) string {
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return firstOf(r.Header.Get("Private-Token"), r.URL.Query().Get("private_token"), bearer)
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// project looks a project up as lib/api/helpers.rb does, and answers itself if
// the caller may not see it.
func (s *Server) project(w http.ResponseWriter, r *http.Request, ref string, c caller) *Project {
	p, moved := s.findProject(ref)
	switch {
	case p == nil:
		notFound(w, "Project")
		return nil
	case c.job && !s.jobMayRead(c.token, p):
		from, _ := s.findProject(strconv.FormatInt(c.token.Project, 10))
		forbidden(w, fmt.Sprintf("Authentication by CI/CD job token not allowed from %s to %s.", path.Base(from.Path), path.Base(p.Path)))
		return nil
	case !c.job && !mayRead(c.token, p):
		notFound(w, "Project")
		return nil
	case moved && r.Method != http.MethodGet:
		respond(w, http.StatusMethodNotAllowed, map[string]string{"message": "Non GET methods are not allowed for moved projects"})
		return nil
	case moved:
		location := "http://" + r.Host + strings.Replace(r.URL.RequestURI(), "/projects/"+escape(ref), fmt.Sprintf("/projects/%d", p.ID), 1)
		http.Redirect(w, r, location, http.StatusMovedPermanently)
		return nil
	}
	return p
}

func (s *Server) findProject(ref string) (p *Project, moved bool) {
	for _, p := range s.world.Projects {
		if ref == strconv.FormatInt(p.ID, 10) || strings.EqualFold(ref, p.Path) {
			return p, false
		}
		if slices.Contains(p.OldPaths, ref) {
			return p, true
		}
	}
	return nil, false
}

// jobMayRead follows the allowlist; what anybody may read is not covered by it.
func (s *Server) jobMayRead(t *Token, p *Project) bool {
	return p.Visibility != Private || t.Project == p.ID || slices.Contains(p.JobTokenAllowlist, t.Project)
}

func mayRead(t *Token, p *Project) bool {
	switch p.Visibility {
	case Public:
		return true
	case Internal:
		return t != nil
	}
	return t != nil && t.Roles[p.ID] != ""
}

// mayReadArchive follows artifacts:access (app/policies/ci/build_policy.rb). A
// job's user is taken for a developer of what its token may read.
func mayReadArchive(c caller, p *Project, j *Job) bool {
	role := "developer"
	if !c.job {
		role = ""
		if c.token != nil {
			role = c.token.Roles[p.ID]
		}
	}
	switch j.Access {
	case "none":
		return false
	case "maintainer":
		return role == "maintainer"
	case "developer":
		return role == "maintainer" || role == "developer"
	}
	return true
}
