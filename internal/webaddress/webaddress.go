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
type Page struct {
	Project      string // full path
	JobID        int64
	PipelineID   int64
	MergeRequest int64 // its number
	Ref, Job     string
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
	project, rest, _ := strings.Cut(below, "/-/")
	p := Page{Project: resolve.ProjectName(project)}
	if p.Project == "" {
		return Page{}, &Error{What: "no project in " + value, Fix: "copy the address of a project, a pipeline or a job"}
	}
	return p, p.read(strings.Split(strings.Trim(rest, "/"), "/"), u.Query())
}

// ID reads the number of a job or a pipeline. The error is an [*Error].
func ID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, &Error{What: fmt.Sprintf("%q isn't the number of a job or pipeline", text), Fix: "it is the number in the address"}
	}
	return id, nil
}

// read reads the part of an address below the project.
func (p *Page) read(parts []string, query url.Values) (err error) {
	switch {
	case len(parts) >= 4 && parts[0] == "jobs" && parts[1] == "artifacts":
		return p.browser(parts[2:], query)
	case len(parts) >= 2 && parts[0] == "jobs":
		p.JobID, err = ID(parts[1])
	case len(parts) >= 2 && parts[0] == "pipelines":
		p.PipelineID, err = ID(parts[1])
	case len(parts) >= 2 && parts[0] == "merge_requests" && parts[1] != "new":
		p.MergeRequest, err = ID(parts[1])
	}
	return err
}

// browser reads ref/browse, ref/raw/path, ref/download, where a ref may contain slashes.
func (p *Page) browser(parts []string, query url.Values) error {
	end := len(parts)
	for i, part := range parts[1:] {
		if part == "browse" || part == "raw" || part == "file" || part == "download" {
			end = i + 1
			break
		}
	}
	ref, err := url.PathUnescape(strings.Join(parts[:end], "/"))
	if err != nil || query.Get("job") == "" {
		return &Error{What: "the address names no job", Fix: "the address of an artifacts browser by ref ends in ?job=NAME"}
	}
	p.Ref, p.Job = ref, query.Get("job")
	return nil
}
