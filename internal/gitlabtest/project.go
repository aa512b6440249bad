package gitlabtest

import (
	"net/http"
	"strconv"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/access"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/feature"
)

// showProject is GET /projects/:id, which ignores job tokens. It omits the default branch
// if the caller can't read the repository (lib/api/entities/basic_project_details.rb).
// https://docs.gitlab.com/api/projects/#retrieve-a-project
func (c *call) showProject(project string) {
	permission := ""
	if c.s.has(feature.TokenProject) {
		permission = access.AnyPermission
	}
	var ok bool
	if c.caller, ok = c.s.identify(c.w, c.r, permission != ""); !ok || c.limited(limitProject) || !c.enter(project, permission) {
		return
	}
	p := c.project
	name := p.Path[strings.LastIndexByte(p.Path, '/')+1:]
	e := map[string]any{
		"id": p.ID, "name": name, "path": name, "path_with_namespace": p.Path,
		"visibility": p.Visibility, "web_url": c.webURL() + "/" + p.Path, "archived": false, "empty_repo": p.DefaultBranch == "",
		"jobs_enabled": true, "public_jobs": !p.PrivateJobs, "ci_job_token_scope_enabled": false,
		"_links": map[string]string{"self": c.webURL() + "/api/v4/projects/" + strconv.FormatInt(p.ID, 10)},
	}
	if c.caller.MayReadCode(p) {
		e["default_branch"] = answer.OrNull(p.DefaultBranch)
	}
	answer.Respond(c.w, http.StatusOK, e)
}

// currentUser is GET /user, which clients use to check their token. It doesn't accept job
// tokens. https://docs.gitlab.com/api/users/#retrieve-the-current-user
func (c *call) currentUser() {
	caller, ok := c.s.identify(c.w, c.r, false)
	switch {
	case !ok:
	case caller.Token == nil:
		answer.Unauthorized(c.w)
	default:
		answer.Respond(c.w, http.StatusOK, c.entities().User(caller.User()))
	}
}

// ownToken is GET /personal_access_tokens/self, for personal, project and group access
// tokens with any scope (lib/api/personal_access_tokens/self_information.rb,
// lib/api/entities/personal_access_token.rb). We assume the scopes of a fine-grained
// token (U).
func (c *call) ownToken() {
	if !c.authenticated("") {
		return
	}
	t := c.caller.Token
	if t.Kind == KindBearer {
		answer.BadRequest(c.w, "This endpoint requires token type to be a personal access token")
		return
	}
	scopes := t.Scopes
	switch {
	case t.Permissions != nil:
		scopes = []string{"granular"}
	case len(scopes) == 0:
		scopes = []string{"api"}
	}
	answer.Respond(c.w, http.StatusOK, map[string]any{
		"id": 1, "name": "fixture", "revoked": false, "created_at": "2026-01-01T00:00:00.000Z", "scopes": scopes, "user_id": 1,
		"active": true, "expires_at": answer.OrNull(t.Expires),
	})
}

// listProjects is GET /projects: everything that the caller can see, even anonymously.
func (c *call) listProjects() {
	caller, ok := c.s.identify(c.w, c.r, false)
	if !ok {
		return
	}
	rows := []map[string]any{}
	for _, p := range c.s.world.Projects {
		if access.MaySee(caller.Token, p) {
			rows = append(rows, map[string]any{"id": p.ID, "path_with_namespace": p.Path, "visibility": p.Visibility})
		}
	}
	paged(c, rows, true)
}

// metadata is GET /metadata and its predecessor GET /version, for users but not for job
// tokens (lib/api/metadata.rb).
func (c *call) metadata() {
	if !c.authenticated("") {
		return
	}
	answer.Respond(c.w, http.StatusOK, map[string]any{
		"version": c.s.opts.Version + ".0-ee", "revision": "0a1b2c3d4e5", "enterprise": true,
		"kas": map[string]any{"enabled": true, "externalUrl": "wss://kas.example.com", "version": c.s.opts.Version + ".0"},
	})
}
