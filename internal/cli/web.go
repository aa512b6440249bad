package cli

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"gitlab.com/artifetch/artifetch/resolve"
)

// web is what an address copied from the browser names:
//
//	…/group/app
//	…/group/app/-/jobs/123, and below
//	…/group/app/-/pipelines/9, and below
//	…/group/app/-/jobs/artifacts/main/browse?job=build, raw and download too
type web struct {
	project    string
	jobID      int64
	pipelineID int64
	ref, job   string
}

// isWeb reports whether a value is an address and not an id or path.
func isWeb(value string) bool {
	return strings.HasPrefix(value, "https://") || strings.HasPrefix(value, "http://")
}

// parseWeb reads an address. It must be of the server whose API is in use: the
// ids of another mean something else here.
func parseWeb(value string, api *url.URL) (web, error) {
	u, err := url.Parse(value)
	if err != nil {
		return web{}, &usageError{"not a web address: " + value, "copy it from the browser as it is"}
	}
	root := strings.TrimSuffix(strings.TrimSuffix(api.Path, "/"), "/api/v4")
	below, ok := strings.CutPrefix(u.EscapedPath(), root+"/")
	if u.Host != api.Host || !ok {
		return web{}, &usageError{fmt.Sprintf("%s is not on %s%s, which is asked", value, api.Host, root), "give --server-url, or the address of a page there"}
	}
	project, page, _ := strings.Cut(below, "/-/")
	w := web{}
	if w.project = resolve.ProjectName(project); w.project == "" {
		return web{}, &usageError{"no project in " + value, "copy the address of a project, a pipeline or a job"}
	}
	return w, w.page(strings.Split(strings.Trim(page, "/"), "/"), u.Query())
}

func (w *web) page(parts []string, query url.Values) error {
	switch {
	case len(parts) >= 4 && parts[0] == "jobs" && parts[1] == "artifacts":
		return w.browser(parts[2:], query)
	case len(parts) >= 2 && parts[0] == "jobs":
		return number(parts[1], &w.jobID)
	case len(parts) >= 2 && parts[0] == "pipelines":
		return number(parts[1], &w.pipelineID)
	}
	return nil // of the project
}

// browser reads ref/browse, ref/raw/path, ref/download, where a ref may hold
// slashes.
func (w *web) browser(parts []string, query url.Values) error {
	end := len(parts)
	for i, part := range parts[1:] {
		if part == "browse" || part == "raw" || part == "file" || part == "download" {
			end = i + 1
			break
		}
	}
	ref, err := url.PathUnescape(strings.Join(parts[:end], "/"))
	if err != nil || query.Get("job") == "" {
		return &usageError{"the address names no job", "an address of the artifacts browser by ref ends in ?job=NAME"}
	}
	w.ref, w.job = ref, query.Get("job")
	return nil
}

func number(text string, n *int64) error {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return &usageError{fmt.Sprintf("%q is no number of a job or pipeline", text), "it is the number in the address"}
	}
	*n = id
	return nil
}
