package gitlabtest

import (
	"archive/zip"
	"cmp"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// treeEntity is JobArtifactEntry (lib/api/entities/ci/job_artifact_entry.rb).
type treeEntity struct {
	Name string  `json:"name"`
	Path string  `json:"path"` // of a directory, with a slash at its end
	Type string  `json:"type"` // "file" (links too) or "directory"
	Size *uint64 `json:"size,omitempty"`
	Mode any     `json:"mode"` // permission bits in octal, six digits; null for a directory that is only implied
}

// tree is GET /projects/:id/jobs/:job_id/artifacts/tree, since 18.8. It lists
// what Workhorse noted of the archive when it was uploaded.
func (c *call) tree(project string) {
	job := c.available(project, "Artifacts")
	if job == nil {
		return
	}
	entries, err := c.s.metadata(job)
	if err != nil {
		notFound(c.w, "Artifacts metadata")
		return
	}
	query := c.r.URL.Query()
	dir := strings.TrimSuffix(query.Get("path"), "/")
	if _, isDir := entries[dir+"/"]; dir != "" && !isDir {
		notFound(c.w, "Path")
		return
	}
	c.still = true
	paged(c, below(entries, dir, query.Get("recursive") == "true"), true)
}

// metadata lists an archive as Workhorse does (lib/gitlab/ci/build/artifacts/metadata.rb):
// with the directories that are only implied, without names that could lead
// anywhere else.
func (s *Server) metadata(job *Job) (map[string]treeEntity, error) {
	o, err := s.open(job)
	if err != nil {
		return nil, err
	}
	defer func() { _ = o.Close() }()
	size, err := o.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	archive, err := zip.NewReader(o, size)
	if err != nil {
		return nil, err
	}
	entries := map[string]treeEntity{}
	for _, f := range archive.File {
		if !listed(f.Name) {
			continue
		}
		for dir := path.Dir(strings.TrimSuffix(f.Name, "/")); dir != "."; dir = path.Dir(dir) {
			if _, known := entries[dir+"/"]; !known {
				entries[dir+"/"] = treeEntity{Name: path.Base(dir), Path: dir + "/", Type: "directory"}
			}
		}
		e := treeEntity{Name: path.Base(f.Name), Path: f.Name, Type: "file", Size: &f.UncompressedSize64, Mode: fmt.Sprintf("%06o", f.Mode().Perm())}
		if strings.HasSuffix(f.Name, "/") {
			e.Type, e.Size = "directory", nil
		}
		entries[f.Name] = e
	}
	return entries, nil
}

func listed(name string) bool {
	return utf8.ValidString(name) && !strings.HasPrefix(name, "/") && !strings.HasPrefix(name, "./") && !strings.HasPrefix(name, "../") &&
		!strings.Contains(name, "//") && !strings.Contains(name, "/./") && !strings.Contains(name, "/../")
}

// below lists what is in a directory: directories first, or, with all that is
// below them, in the order of their bytes.
func below(entries map[string]treeEntity, dir string, recursive bool) []treeEntity {
	var rows []treeEntity
	for name, e := range entries {
		rest, inside := strings.CutPrefix(name, dir+"/")
		if dir == "" {
			rest, inside = name, true
		}
		if inside && rest != "" && (recursive || !strings.Contains(strings.TrimSuffix(rest, "/"), "/")) {
			rows = append(rows, e)
		}
	}
	slices.SortFunc(rows, func(a, b treeEntity) int {
		if recursive {
			return cmp.Compare(a.Path, b.Path)
		}
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Path, b.Path))
	})
	return rows
}
