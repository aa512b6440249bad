package storage

import (
	"archive/zip"
	"cmp"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
)

// treeEntity is JobArtifactEntry (lib/api/entities/ci/job_artifact_entry.rb).
type treeEntity struct {
	Name string  `json:"name"`
	Path string  `json:"path"` // a directory's ends in a slash
	Type string  `json:"type"` // "file" (links too) or "directory"
	Size *uint64 `json:"size,omitempty"`
	Mode any     `json:"mode"` // permission bits in octal, six digits; null for a directory without an entry of its own
}

// Metadata lists an archive as Workhorse does (lib/gitlab/ci/build/artifacts/metadata.rb).
// It adds directories that have no entry of their own, and leaves out unsafe names.
func (o *Object) Metadata() (map[string]treeEntity, error) {
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

// Below lists a directory, subdirectories first. If recursive, it lists the whole tree,
// sorted by path.
func Below(entries map[string]treeEntity, dir string, recursive bool) []treeEntity {
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

// ServeEntry sends one file of the archive, as Workhorse does.
func (o *Object) ServeEntry(w http.ResponseWriter, name string) {
	size, _ := o.Seek(0, io.SeekEnd)
	archive, err := zip.NewReader(o, size)
	if err != nil {
		answer.Text(w, http.StatusInternalServerError, "Internal Server Error\n")
		return
	}
	for _, f := range archive.File {
		if f.Name != name {
			continue
		}
		r, err := f.Open()
		if err != nil {
			answer.Text(w, http.StatusInternalServerError, "Internal Server Error\n")
			return
		}
		kind := mime.TypeByExtension(path.Ext(name))
		if kind == "" {
			kind = "application/octet-stream"
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Length", strconv.FormatUint(f.UncompressedSize64, 10))
		w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", path.Base(name)))
		_, _ = io.Copy(w, r)
		return
	}
	answer.Text(w, http.StatusNotFound, "404 page not found\n")
}
