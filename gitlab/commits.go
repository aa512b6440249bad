package gitlab

import (
	"context"
	"net/url"
	"strings"
)

// Commit is a commit of a project's repository. https://docs.gitlab.com/api/commits/
type Commit struct {
	ID        string   `json:"id"`
	ParentIDs []string `json:"parent_ids"` // the first is the branch's own
}

// Commit returns one commit by its full SHA, without statistics. Job tokens can read it
// since about GitLab 18.3. GET /projects/:id/repository/commits/:sha
func (c *Client) Commit(ctx context.Context, project Project, sha string) (Commit, error) {
	var commit Commit
	a, err := c.get(ctx, c.address(url.Values{"stats": {"false"}}, "projects", segment(string(project)), "repository", "commits", segment(sha)), &commit)
	if err == nil && !strings.EqualFold(commit.ID, sha) {
		err = a.one("commit", commit.ID, sha)
	}
	return commit, err
}
