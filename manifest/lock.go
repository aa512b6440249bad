package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"time"

	"gitlab.com/artifetch/artifetch/internal/printable"
	"gitlab.com/artifetch/artifetch/internal/smallfile"
)

// Lock is the whole of artifetch.lock: what each source was when it was resolved.
type Lock struct {
	Version int      `json:"version"`
	Sources []Locked `json:"sources"` // sorted by name
}

// Locked is one source.
type Locked struct {
	Name       string     `json:"name"`
	Asked      string     `json:"asked"`   // fingerprint of what the manifest asks for
	Project    string     `json:"project"` // path, or as the manifest has it
	ProjectID  int64      `json:"project_id,omitempty"`
	Ref        string     `json:"ref,omitempty"`
	PipelineID int64      `json:"pipeline_id,omitempty"`
	SHA        string     `json:"sha,omitempty"`
	JobID      int64      `json:"job_id,omitempty"` // 0 if there was no such job, and the manifest allows that
	Job        string     `json:"job,omitempty"`
	Size       int64      `json:"size,omitempty"`   // of the archive, in bytes
	SHA256     string     `json:"sha256,omitempty"` // of the archive
	ResolvedAt time.Time  `json:"resolved_at"`
	ResolvedBy string     `json:"resolved_by"`
	Files      []LockFile `json:"files"` // sorted by path
}

// LockFile is a file or link of a source.
type LockFile struct {
	Path   string `json:"path"`             // relative to the directory of the manifest
	Name   string `json:"name"`             // in the archive
	Mode   string `json:"mode,omitempty"`   // permission bits in octal; not of links
	Size   int64  `json:"size,omitempty"`   // bytes
	SHA256 string `json:"sha256,omitempty"` // of files
	Target string `json:"target,omitempty"` // of links
}

// MaxLock is the maximum size of a lock file, in bytes: half a million files.
const MaxLock = 128 << 20

// ReadLock reads a lock file. One that is not there is an empty one.
func ReadLock(file string) (Lock, error) {
	text, err := smallfile.Read(file, MaxLock)
	if errors.Is(err, fs.ErrNotExist) {
		return Lock{Version: Version}, nil
	}
	if err != nil {
		return Lock{}, err
	}
	var l Lock
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err = d.Decode(&l)
	what := ""
	switch {
	case err != nil:
		what = err.Error()
	case l.Version != Version:
		return Lock{}, &Error{File: file, What: fmt.Sprintf("version %d is not known", l.Version), Fix: "a newer program made it"}
	case len(bytes.TrimSpace(text[d.InputOffset():])) > 0:
		what = "there is more text after its end"
	default:
		what = l.mistake()
	}
	if what != "" {
		return Lock{}, &Error{File: file, What: "it isn't a lock file: " + what, Fix: "restore it from version control, or delete it: sync makes a new one"}
	}
	return l, nil
}

// Bytes is the lock file: the same for the same sources, in whatever order they
// came.
func (l Lock) Bytes() ([]byte, error) {
	l.Version = Version
	l.Sources = slices.Clone(l.Sources)
	// Not slices.SortFunc: it is 10 kB of code for each type.
	sort.Slice(l.Sources, func(i, j int) bool { return l.Sources[i].Name < l.Sources[j].Name })
	for i := range l.Sources {
		files := append([]LockFile{}, l.Sources[i].Files...)
		SortFiles(files)
		l.Sources[i].Files = files
		l.Sources[i].ResolvedAt = l.Sources[i].ResolvedAt.UTC().Truncate(time.Second)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(l)
	return printable.JSON(b.Bytes()), err
}

// SortFiles sorts files by path.
func SortFiles(files []LockFile) {
	sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
}

// Find returns the entry of a source.
func (l Lock) Find(name string) (Locked, bool) {
	for _, s := range l.Sources {
		if s.Name == name {
			return s, true
		}
	}
	return Locked{}, false
}
