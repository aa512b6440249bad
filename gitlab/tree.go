package gitlab

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"strings"
)

// TreeEntry is a file or directory of a job's archive, as the server recorded it at the
// upload.
type TreeEntry struct {
	Name string `json:"name"`
	Path string `json:"path"` // a directory's ends in a slash
	Type string `json:"type"` // "file" or "directory"; a link is a "file"
	Size int64  `json:"size"` // uncompressed bytes of a file
	Mode string `json:"mode"` // permission bits in octal, such as "000644"; empty if unknown
}

// IsDir reports whether it is a directory.
func (e TreeEntry) IsDir() bool { return e.Type == "directory" || strings.HasSuffix(e.Path, "/") }

// Perm returns the permission bits; ok is false if they are unknown.
func (e TreeEntry) Perm() (perm uint32, ok bool) {
	bits, err := strconv.ParseUint(e.Mode, 8, 32)
	return uint32(bits) & 0o777, err == nil
}

// Tree lists a directory of a job's archive; "" is the root. Servers before 18.8 don't
// have the route and look for a file with that name: that is a 404 whose body isn't JSON.
// GET /projects/:id/jobs/:job_id/artifacts/tree
func (c *Client) Tree(ctx context.Context, project Project, job int64, dir string, recursive bool) iter.Seq2[TreeEntry, error] {
	query := url.Values{"per_page": {perPage}}
	if dir != "" {
		query.Set("path", dir)
	}
	if recursive {
		query.Set("recursive", "true")
	}
	address := c.address(query, "projects", segment(string(project)), "jobs", id(job), "artifacts", "tree")
	return list(ctx, c, address, func(e TreeEntry) string { return e.Path })
}
