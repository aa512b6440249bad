package gitlab

import "context"

// MergeRequest is a merge request with its branches.
// https://docs.gitlab.com/api/merge_requests/
type MergeRequest struct {
	IID             int64  `json:"iid"`
	State           string `json:"state"` // opened, closed, locked or merged
	SourceBranch    string `json:"source_branch"`
	SourceProjectID int64  `json:"source_project_id"` // the fork's, if it comes from one; 0 if that no longer exists
	TargetProjectID int64  `json:"target_project_id"`
	WebURL          string `json:"web_url"`
}

// MergeRequest returns a merge request by its number in the project. Job tokens can read
// it since GitLab 18.4. GET /projects/:id/merge_requests/:merge_request_iid
func (c *Client) MergeRequest(ctx context.Context, project Project, iid int64) (MergeRequest, error) {
	var m MergeRequest
	a, err := c.get(ctx, c.address(nil, "projects", segment(string(project)), "merge_requests", id(iid)), &m)
	if err == nil && m.IID != iid {
		err = a.one("merge request", m.IID, iid)
	}
	if err == nil {
		err = a.of(c, place{project: project}, Pipeline{ProjectID: m.TargetProjectID})
	}
	return m, err
}
