package gitlabtest

import (
	"net/http"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/access"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/entity"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/feature"
)

// repository routes /projects/:id/repository/….
func (c *call) repository(project string, parts []string) {
	switch {
	case len(parts) == 2 && parts[0] == "commits":
		c.rest = parts[1:]
		c.showCommit(project)
	case len(parts) == 1 && parts[0] == "branches":
		c.listBranches(project)
	case len(parts) >= 2 && parts[0] == "branches":
		c.rest = []string{strings.Join(parts[1:], "/")}
		c.showBranch(project)
	case len(parts) == 1 && parts[0] == "merge_base":
		c.mergeBase(project)
	default:
		answer.NoRoute(c.w)
	}
}

// enterRepository is enter for routes that need read_code.
func (c *call) enterRepository(project, permission string) bool {
	if !c.enter(project, permission) {
		return false
	}
	if !c.caller.MayReadCode(c.project) {
		answer.Forbidden(c.w, "")
		return false
	}
	return true
}

// showCommit is GET /projects/:id/repository/commits/:sha (lib/api/commits.rb) for a
// commit, a branch or a tag. A commit that no ref reaches exists until it is removed.
func (c *call) showCommit(project string) {
	stats, ok := answer.Boolean(c.w, c.r.URL.Query(), "stats")
	if !ok || !c.enterRepository(project, c.s.tokenPermission(access.ReadRepository, feature.TokenCommits)) {
		return
	}
	commit := c.project.Resolve(c.rest[0])
	if commit == nil {
		answer.NotFound(c.w, "Commit")
		return
	}
	var last *Pipeline
	for _, p := range c.project.Pipelines {
		if p.SHA == commit.ID && p.CISource() && (last == nil || p.ID > last.ID) {
			last = p
		}
	}
	if !c.caller.MayReadBuilds(c.project) {
		last = nil
	}
	stats = stats || !c.r.URL.Query().Has("stats")
	answer.Respond(c.w, http.StatusOK, c.entities().CommitDetails(commit, last, stats))
}

// listBranches is GET /projects/:id/repository/branches (lib/api/branches.rb), the only
// route of the Branches API that accepts job tokens.
func (c *call) listBranches(project string) {
	query := c.r.URL.Query()
	if !answer.Integers(c.w, query, "page", "per_page") || !c.enterRepository(project, c.s.tokenPermission(access.ReadRepository, feature.TokenBranches)) {
		return
	}
	rows := []entity.Branch{}
	for _, name := range c.project.Branches() {
		if found(name, query.Get("search")) {
			rows = append(rows, c.entities().Branch(name, c.mayPush(name)))
		}
	}
	c.unshifted = true // sorted by name, so new ones don't shift the others
	paged(c, rows, true)
}

// found implements the parameter search: "^a" finds names that start with a, "a$" those
// that end with a. https://docs.gitlab.com/api/branches/#list-all-repository-branches
func found(name, search string) bool {
	if begin, ok := strings.CutPrefix(search, "^"); ok {
		return strings.HasPrefix(name, begin)
	}
	if end, ok := strings.CutSuffix(search, "$"); ok {
		return strings.HasSuffix(name, end)
	}
	return strings.Contains(name, search)
}

// showBranch is GET /projects/:id/repository/branches/:branch.
func (c *call) showBranch(project string) {
	if !c.enterRepository(project, "") {
		return
	}
	if !slices.Contains(c.project.Branches(), c.rest[0]) {
		answer.NotFound(c.w, "Branch")
		return
	}
	answer.Respond(c.w, http.StatusOK, c.entities().Branch(c.rest[0], c.mayPush(c.rest[0])))
}

// mergeBase is GET /projects/:id/repository/merge_base (lib/api/repositories.rb),
// which ignores job tokens.
func (c *call) mergeBase(project string) {
	query := c.r.URL.Query()
	refs := query["refs[]"]
	if query.Has("refs") {
		refs = strings.Split(query.Get("refs"), ",")
	}
	if len(refs) == 0 {
		answer.Invalid(c.w, "refs is missing")
		return
	}
	if !c.enterRepository(project, "") {
		return
	}
	var ids, unknown []string
	for _, ref := range refs {
		if commit := c.project.Resolve(ref); commit != nil {
			ids = append(ids, commit.ID)
		} else {
			unknown = append(unknown, ref)
		}
	}
	noun := "ref"
	if len(unknown) > 1 {
		noun = "refs"
	}
	switch base := c.project.MergeBase(ids...); {
	case len(refs) < 2:
		answer.Message(c.w, http.StatusBadRequest, "Provide at least 2 refs")
	case len(unknown) > 0:
		answer.Message(c.w, http.StatusBadRequest, "Could not find "+noun+": "+strings.Join(unknown, ", "))
	case base == nil:
		answer.NotFound(c.w, "Merge Base")
	default:
		answer.Respond(c.w, http.StatusOK, c.entities().Commit(base))
	}
}

// mayPush reports whether the caller can push to a branch. The default branch is
// protected.
func (c *call) mayPush(branch string) bool {
	return c.caller.AtLeast(c.project, "developer") && branch != c.project.DefaultBranch || c.caller.AtLeast(c.project, "maintainer")
}
