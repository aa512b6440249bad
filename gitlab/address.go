package gitlab

import (
	"net/url"
	"strconv"
	"strings"
)

// Project names a project by its numeric id or its full path, such as
// "group/sub/lib".
type Project string

// segment encodes s as one segment of a path: everything except the unreserved characters
// of RFC 3986 §2.3 becomes %XX. GitLab requires encoded slashes in project paths and refs
// (https://docs.gitlab.com/api/rest/#namespaced-paths); dots needn't be encoded.
func segment(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

// address joins encoded segments below the API root.
func (c *Client) address(query url.Values, segments ...string) string {
	address := c.api.JoinPath().String() + "/" + strings.Join(segments, "/")
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

// jobAddress returns the address of a job's route.
func (c *Client) jobAddress(project Project, job int64, route string) string {
	return c.address(nil, "projects", segment(string(project)), "jobs", id(job), route)
}

func id(n int64) string { return strconv.FormatInt(n, 10) }

// ArchiveURL returns the address of a job's archive, whatever the job's status.
// GET /projects/:id/jobs/:job_id/artifacts
func (c *Client) ArchiveURL(project Project, job int64) string {
	return c.address(nil, "projects", segment(string(project)), "jobs", id(job), "artifacts")
}

// ReportURL returns the address of a job's report, such as "junit". Before 19.4, GitLab
// ignores the type, and serves the archive.
// GET /projects/:id/jobs/:job_id/artifacts?file_type=type (lib/api/ci/job_artifacts.rb)
func (c *Client) ReportURL(project Project, job int64, kind string) string {
	return c.address(url.Values{"file_type": {kind}}, "projects", segment(string(project)), "jobs", id(job), "artifacts")
}

// RefArchiveURL returns the address of the archive of a job in the newest successful
// pipeline of a ref. It doesn't use search_recent_successful_pipelines (since 18.10):
// that treats children as independent pipelines, which come before their parents, and
// ignores the pipeline's age. GET
// /projects/:id/jobs/artifacts/:ref_name/download?job=name
func (c *Client) RefArchiveURL(project Project, ref, job string) string {
	return c.address(url.Values{"job": {job}}, "projects", segment(string(project)), "jobs", "artifacts", segment(ref), "download")
}

// FileURL returns the address of a single file of a job's archive. It doesn't support
// ranges. GET /projects/:id/jobs/:job_id/artifacts/*artifact_path
func (c *Client) FileURL(project Project, job int64, file string) string {
	return c.address(nil, "projects", segment(string(project)), "jobs", id(job), "artifacts", segments(file))
}

// RefFileURL is FileURL by ref and job name. All slashes of the file are encoded: the server
// splits ref and file at the last literal "/raw/".
// GET /projects/:id/jobs/artifacts/:ref_name/raw/*artifact_path?job=name
func (c *Client) RefFileURL(project Project, ref, job, file string) string {
	return c.address(url.Values{"job": {job}}, "projects", segment(string(project)), "jobs", "artifacts", segment(ref), "raw", segment(file))
}

// RunnerArchiveURL is the route for runners. It accepts only job tokens, and needs no
// licence; with direct_download it may redirect to object storage. GET /jobs/:id/artifacts (lib/api/ci/runner.rb in GitLab's source).
func (c *Client) RunnerArchiveURL(job int64) string {
	return c.address(url.Values{"direct_download": {"true"}}, "jobs", id(job), "artifacts")
}

// RunnerProxyURL is [Client.RunnerArchiveURL] without a redirect to object storage: GitLab
// sends the bytes itself.
func (c *Client) RunnerProxyURL(job int64) string {
	return c.address(nil, "jobs", id(job), "artifacts")
}

// DownloadModeURL is [Client.ArchiveURL] with the bytes from GitLab itself ("proxy") or
// from object storage ("direct"). Servers before 19.4 ignore that; later ones may refuse a
// mode that their administrator doesn't allow.
// https://docs.gitlab.com/api/job_artifacts/
func (c *Client) DownloadModeURL(project Project, job int64, mode string) string {
	return c.address(url.Values{"download_mode": {mode}}, "projects", segment(string(project)), "jobs", id(job), "artifacts")
}

// ReportInMode is [Client.DownloadModeURL] for an address of [Client.ReportURL].
func ReportInMode(address, mode string) string { return address + "&download_mode=" + mode }

// segments encodes a path except its slashes.
func segments(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		parts[i] = segment(part)
	}
	return strings.Join(parts, "/")
}
