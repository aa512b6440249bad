package gitlabtest

import (
	"cmp"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/access"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/feature"
)

// identify finds the caller as lib/gitlab/auth/auth_finders.rb does: personal and OAuth
// tokens first, then job tokens. Routes that don't accept job tokens (takesJobs is false)
// ignore them and treat the request as anonymous. If a credential is refused, identify
// writes the answer and returns false.
func (s *Server) identify(w http.ResponseWriter, r *http.Request, takesJobs bool) (access.Caller, bool) {
	value, bearer := personalToken(r)
	t := s.world.Token(value)
	switch {
	case value == "":
	case bearer && takesJobs && t != nil && t.Kind == KindJob && !t.Dead:
		return access.Caller{Token: t, ByJobToken: true}, true
	case strings.HasPrefix(value, "glcbt-"):
		// In the header for personal tokens, it counts as anonymous.
	case t == nil || t.Kind == KindJob || t.Kind == KindBearer && !bearer:
		answer.Unauthorized(w)
		return access.Caller{}, false
	default:
		return access.Caller{Token: t}, s.usable(w, r, t)
	}
	value = cmp.Or(r.URL.Query().Get("job_token"), r.URL.Query().Get("token"), r.Header.Get("Job-Token"))
	if value == "" || !takesJobs {
		return access.Caller{}, true
	}
	t = s.world.Token(value)
	if t == nil || t.Kind != KindJob || t.Dead {
		answer.Unauthorized(w)
		return access.Caller{}, false
	}
	return access.Caller{Token: t, ByJobToken: true}, true
}

// scopes returns the scopes that allow the request; a token needs one of them. If nil,
// any scope will do. See lib/api/api.rb, lib/api/metadata.rb, lib/api/users.rb.
func scopes(r *http.Request) []string {
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return []string{"api"}
	case path.Base(r.URL.Path) == "self":
		return nil // any scope
	case slices.Contains([]string{"metadata", "version", "user"}, path.Base(r.URL.Path)):
		return []string{"api", "read_api", "read_user"}
	}
	return []string{"api", "read_api"}
}

// usable checks a known token as lib/api/api_guard.rb does. If it is refused, usable
// writes the answer and returns false.
func (s *Server) usable(w http.ResponseWriter, r *http.Request, t *Token) bool {
	wanted := scopes(r)
	below, _ := s.apiPath(r) // a route was found, so this succeeds
	boundary, permission := access.FineGrained(s.kind(r, "gitlab"), below)
	switch {
	case t.Dead:
		w.Header().Set("WWW-Authenticate", `Bearer realm="Protected by OAuth 2.0", error="invalid_token"`)
		answer.Respond(w, http.StatusUnauthorized, map[string]string{
			"error": "invalid_token", "error_description": "Token is expired. You can either do re-authorization or token refresh.",
		})
	case len(t.Scopes) > 0 && wanted != nil && !slices.ContainsFunc(t.Scopes, func(scope string) bool { return slices.Contains(wanted, scope) }):
		answer.Respond(w, http.StatusForbidden, map[string]string{
			"error": "insufficient_scope", "error_description": "The request requires higher privileges than provided by the access token.",
			"scope": strings.Join(wanted, " "),
		})
	case t.Permissions != nil && permission != access.AnyToken && !slices.Contains(t.Permissions, permission):
		access.NotGranted(w, boundary, permission)
	case t.Blocked:
		answer.Forbidden(w, "Your account has been blocked.")
	default:
		return true
	}
	return false
}

// personalToken also reports whether the token was a bearer token.
func personalToken(r *http.Request) (value string, bearer bool) {
	if value = cmp.Or(r.Header.Get("Private-Token"), r.URL.Query().Get("private_token")); value != "" {
		return value, false
	}
	value, bearer = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		return "", false // the API ignores basic authentication, for example
	}
	return value, true
}

// project finds a project as lib/api/helpers.rb does. If the caller can't see it, project
// writes the answer and returns nil.
func (s *Server) project(w http.ResponseWriter, r *http.Request, ref string, c access.Caller) *Project {
	p, moved := s.world.Project(ref)
	switch {
	case p == nil:
		answer.NotFound(w, "Project")
		return nil
	case c.ByJobToken && !access.JobMaySee(c.Token, p):
		from := "" // stays empty if the token's project no longer exists
		if source, _ := s.world.Project(strconv.FormatInt(c.Token.Project, 10)); source != nil {
			from = path.Base(source.Path)
		}
		answer.Forbidden(w, fmt.Sprintf("Authentication by CI/CD job token not allowed from %s to %s.", from, path.Base(p.Path)))
		return nil
	case !c.ByJobToken && !access.MaySee(c.Token, p):
		answer.NotFound(w, "Project")
		return nil
	case moved && r.Method != http.MethodGet:
		answer.Message(w, http.StatusMethodNotAllowed, "Non GET methods are not allowed for moved projects")
		return nil
	case moved:
		http.Redirect(w, r, s.byID(r, p.ID), http.StatusMovedPermanently)
		return nil
	}
	return p
}

// byID returns the request's address with the project's ID instead of its path.
func (s *Server) byID(r *http.Request, id int64) string {
	below, _ := s.apiPath(r) // a route was found, so this succeeds
	parts := strings.SplitN(below, "/", 3)
	parts[1] = strconv.FormatInt(id, 10)
	address := origin(r) + s.opts.RelativeRoot + "/api/v4/" + strings.Join(parts, "/")
	if r.URL.RawQuery != "" {
		address += "?" + r.URL.RawQuery
	}
	return address
}

// tokenPermission returns the permission that a job token needs for a route; empty if this
// version doesn't accept job tokens there.
func (s *Server) tokenPermission(permission string, f feature.Name) string {
	if !s.has(f) {
		return ""
	}
	return permission
}

// permitted checks a permission as lib/api/helpers.rb does. If another project's job
// token lacks it, permitted writes the answer and returns false. Older versions don't
// have permissions.
func (c *call) permitted(permission string) bool {
	if !c.caller.ByJobToken || permission == "" || permission == access.AnyPermission || c.caller.Token.Project == c.project.ID || !c.s.has(feature.Policies) {
		return true
	}
	policies, restricted := c.project.JobTokenPolicies[c.caller.Token.Project]
	if !restricted || slices.Contains(policies, permission) {
		return true
	}
	answer.Forbidden(c.w, fmt.Sprintf("Insufficient permissions to access this resource in project %s. "+
		"The following token permission is required: %s.", path.Base(c.project.Path), permission))
	return false
}
