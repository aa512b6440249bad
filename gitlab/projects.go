package gitlab

import "context"

// DefaultBranch returns the default branch of a project. It is empty if the repository is
// empty, or if the token can't read it. Job tokens count as anonymous here: they can only
// read public projects. GET /projects/:id
// (https://docs.gitlab.com/api/projects/#retrieve-a-project)
func (c *Client) DefaultBranch(ctx context.Context, project Project) (string, error) {
	var p struct {
		ID            int64  `json:"id"`
		DefaultBranch string `json:"default_branch"`
	}
	a, err := c.get(ctx, c.address(nil, "projects", segment(string(project))), &p)
	if err == nil {
		err = a.of(c, place{project: project}, Pipeline{ProjectID: p.ID})
	}
	return p.DefaultBranch, err
}
