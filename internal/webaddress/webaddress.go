// Package webaddress reads the addresses of GitLab's pages, as people copy them from a
// browser.
package webaddress

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"gitlab.com/artifetch/artifetch/resolve"
)

// Page is what an address names. Other fields are empty.
//
//	…/group/app
//	…/group/app/-/jobs/123, and below
//	…/group/app/-/pipelines/9, and below
//	…/group/app/-/merge_requests/7, and below
//	…/group/app/-/jobs/artifacts/main/browse?job=build, raw and download too
//	…/api/v4/projects/1/jobs/123/artifacts, and the API's others for these
type Page struct {
	Project      string // full path; from an address of the API perhaps an ID
	JobID        int64
	PipelineID   int64
	MergeRequest int64 // its number
	Ref, Job     string
	Path         string // in the job's archive; a directory's ends in a slash
	Archive      string // if there is a Path: the address without it
}

// Error reports an address that isn't understood.
type Error struct {
	What, Fix   string
	OtherServer bool // it is on another server
}

// Error implements error.
func (e *Error) Error() string { return e.What }

// Hint says what to do next.
func (e *Error) Hint() string { return e.Fix }

// Is reports whether a value is an address, not an ID or a path.
func Is(value string) bool {
	return strings.HasPrefix(value, "https://") || strings.HasPrefix(value, "http://")
}

// Parse reads an address. It must be on the server whose API is at api: IDs of another
// server mean something else here. The error is an [*Error].
func Parse(value string, api *url.URL) (Page, error) {
	u, err := url.Parse(value)
	if err != nil {
		return Page{}, &Error{What: "not a web address: " + value, Fix: "copy it from the browser unchanged"}
	}
	root := strings.TrimSuffix(strings.TrimSuffix(api.Path, "/"), "/api/v4")
	below, ok := strings.CutPrefix(u.EscapedPath(), root+"/")
	if u.Host != api.Host || !ok {
		return Page{}, &Error{What: fmt.Sprintf("%s isn't on %s%s, the server in use", value, api.Host, root), Fix: "use the address of a page there", OtherServer: true}
	}
	start := "/-/"
	project, rest, _ := strings.Cut(below, start)
	if row, ofAPI := strings.CutPrefix(below, "api/v4/projects/"); ofAPI {
		start = "/"
		project, rest, _ = strings.Cut(row, start)
	}
	p := Page{Project: resolve.ProjectName(project)}
	if p.Project == "" {
		return Page{}, &Error{What: "no project in " + value, Fix: "copy the address of a project, a pipeline or a job"}
	}
	rest = strings.Trim(rest, "/")
	after, err := p.read(strings.Split(rest, "/"), u.Query())
	if err != nil || after == "" {
		return p, err
	}
	if p.Path, err = url.PathUnescape(after); err != nil {
		return p, &Error{What: "not a web address: " + value, Fix: "copy it from the browser unchanged"}
	}
	p.Archive = u.Scheme + "://" + u.Host + strings.TrimSuffix(strings.TrimRight(u.EscapedPath(), "/"), "/"+strings.TrimSuffix(after, "/"))
	if p.Job != "" {
		p.Archive += "?" + url.Values{"job": {p.Job}}.Encode()
	} else {
		p.Archive = p.Archive[:strings.LastIndex(p.Archive, "/artifacts")]
	}
	return p, nil
}

// Guess reads an address of whatever server, for a proposal. It is empty if it isn't
// understood.
func Guess(value string) Page {
	u, err := url.Parse(value)
	if err != nil {
		return Page{}
	}
	api := url.URL{Host: u.Host}
	if root, _, ofAPI := strings.Cut(u.Path, "/api/v4/"); ofAPI {
		api.Path = root
	}
	p, _ := Parse(value, &api)
	return p
}

// ID reads the number of a job or a pipeline. The error is an [*Error].
func ID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, &Error{What: fmt.Sprintf("%q isn't the number of a job or pipeline", text), Fix: "it is the number in the address"}
	}
	return id, nil
}

// read reads the part of an address below the project. It returns the part that is a path
// in the job's archive, as it is written.
func (p *Page) read(parts []string, query url.Values) (path string, err error) {
	switch {
	case len(parts) >= 4 && parts[0] == "jobs" && parts[1] == "artifacts":
		return p.browser(parts[2:], query)
	case len(parts) >= 2 && parts[0] == "jobs":
		p.JobID, err = ID(parts[1])
		if len(parts) > 3 && parts[2] == "artifacts" {
			return below(parts[3:]), err
		}
	case len(parts) >= 2 && parts[0] == "pipelines":
		p.PipelineID, err = ID(parts[1])
	case len(parts) >= 2 && parts[0] == "merge_requests" && parts[1] != "new":
		p.MergeRequest, err = ID(parts[1])
	}
	return "", err
}

// browser reads ref/browse, ref/raw/path, ref/download, where a ref may contain slashes.
func (p *Page) browser(parts []string, query url.Values) (path string, err error) {
	end := len(parts)
	for i, part := range parts[1:] {
		if isView(part) {
			end = i + 1
			break
		}
	}
	ref, err := url.PathUnescape(strings.Join(parts[:end], "/"))
	if err != nil || query.Get("job") == "" {
		return "", &Error{What: "the address names no job", Fix: "the address of an artifacts browser by ref ends in ?job=NAME"}
	}
	p.Ref, p.Job = ref, query.Get("job")
	return below(parts[end:]), nil
}

// isView reports whether a part of an address says how GitLab shows an archive.
func isView(part string) bool {
	return part == "browse" || part == "raw" || part == "file" || part == "external_file" || part == "download"
}

// below returns the path after browse, raw and others, or after the API's artifacts.
func below(parts []string) string {
	switch {
	case len(parts) == 0:
		return ""
	case len(parts) == 1 && (isView(parts[0]) || parts[0] == "keep" || parts[0] == "tree"):
		return ""
	case parts[0] == "browse":
		return strings.Join(parts[1:], "/") + "/"
	case isView(parts[0]):
		parts = parts[1:]
	}
	return strings.Join(parts, "/")
}
