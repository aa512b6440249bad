package gitlabtest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// commitDetails is CommitDetail (lib/api/entities/commit_detail.rb).
type commitDetails struct {
	commitEntity
	Stats        map[string]int  `json:"stats,omitempty"`
	Status       any             `json:"status"`
	ProjectID    int64           `json:"project_id"`
	LastPipeline *pipelineEntity `json:"last_pipeline"`
}

// branchEntity is Branch (lib/api/entities/branch.rb).
type branchEntity struct {
	Name               string        `json:"name"`
	Commit             *commitEntity `json:"commit"`
	Merged             bool          `json:"merged"`
	Protected          bool          `json:"protected"`
	DevelopersCanPush  bool          `json:"developers_can_push"`
	DevelopersCanMerge bool          `json:"developers_can_merge"`
	CanPush            bool          `json:"can_push"`
	Default            bool          `json:"default"`
	WebURL             string        `json:"web_url"`
}

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
		noRoute(c.w)
	}
}

// enterRepository is enter for what needs read_code.
func (c *call) enterRepository(project, permission string) bool {
	if !c.enter(project, permission) {
		return false
	}
	if !c.caller.mayReadCode(c.project) {
		forbidden(c.w, "")
		return false
	}
	return true
}

// showCommit is GET /projects/:id/repository/commits/:sha (lib/api/commits.rb), of
// a commit, a branch or a tag. A commit that no ref reaches is there until it is
// removed.
func (c *call) showCommit(project string) {
	stats, ok := boolean(c.w, c.r.URL.Query(), "stats")
	if !ok || !c.enterRepository(project, c.s.flagged(readRepository, featTokenCommits)) {
		return
	}
	commit := c.project.Resolve(c.rest[0])
	if commit == nil {
		notFound(c.w, "Commit")
		return
	}
	e := commitDetails{commitEntity: *c.commitEntity(commit), ProjectID: c.project.ID}
	if stats || !c.r.URL.Query().Has("stats") {
		e.Stats = map[string]int{"additions": 1, "deletions": 1, "total": 2}
	}
	var last *Pipeline
	for _, p := range c.project.Pipelines {
		if p.SHA == commit.ID && p.CISource() && (last == nil || p.ID > last.ID) {
			last = p
		}
	}
	if last != nil && c.caller.mayReadBuilds(c.project) {
		pipeline := c.pipelineEntity(last)
		e.Status, e.LastPipeline = last.Status, &pipeline
	}
	respond(c.w, http.StatusOK, e)
}

// listBranches is GET /projects/:id/repository/branches (lib/api/branches.rb); of
// the Branches API it alone takes job tokens.
func (c *call) listBranches(project string) {
	query := c.r.URL.Query()
	if !integers(c.w, query, "page", "per_page") || !c.enterRepository(project, c.s.flagged(readRepository, featTokenBranches)) {
		return
	}
	rows := []branchEntity{}
	for _, name := range c.project.Branches() {
		if found(name, query.Get("search")) {
			rows = append(rows, c.branchEntity(name))
		}
	}
	c.still = true // sorted by name: new ones do not push others back
	paged(c, rows, true)
}

// found is the parameter search: "^a" means names that begin so, "a$" those that
// end so. https://docs.gitlab.com/api/branches/#list-all-repository-branches
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
		notFound(c.w, "Branch")
		return
	}
	respond(c.w, http.StatusOK, c.branchEntity(c.rest[0]))
}

func (c *call) branchEntity(name string) branchEntity {
	main := name == c.project.DefaultBranch
	return branchEntity{
		Name: name, Commit: c.commitEntity(c.project.Commit(c.project.Head(name))), Protected: main, Default: main,
		CanPush: c.caller.atLeast(c.project, "developer") && !main || c.caller.atLeast(c.project, "maintainer"),
		WebURL:  c.webURL() + "/" + c.project.Path + "/-/tree/" + (&url.URL{Path: name}).EscapedPath(),
	}
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
		invalid(c.w, "refs is missing")
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
		message(c.w, http.StatusBadRequest, "Provide at least 2 refs")
	case len(unknown) > 0:
		message(c.w, http.StatusBadRequest, "Could not find "+noun+": "+strings.Join(unknown, ", "))
	case base == nil:
		notFound(c.w, "Merge Base")
	default:
		respond(c.w, http.StatusOK, c.commitEntity(base))
	}
}
