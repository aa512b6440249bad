package manifest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/internal/printable"
	"gitlab.com/artifetch/artifetch/internal/smallfile"
)

// Lock is the content of artifetch.lock: what each source was resolved to.
type Lock struct {
	Version int      `json:"version"`
	Sources []Locked `json:"sources"` // sorted by name
}

// Locked is one source.
type Locked struct {
	Name       string     `json:"name"`
	Asked      Asked      `json:"asked"`   // what the manifest asked for
	Project    string     `json:"project"` // path, or as in the manifest
	ProjectID  int64      `json:"project_id,omitempty"`
	Ref        string     `json:"ref,omitempty"`
	PipelineID int64      `json:"pipeline_id,omitempty"`
	SHA        string     `json:"sha,omitempty"`
	JobID      int64      `json:"job_id,omitempty"` // 0 if the job didn't exist and the manifest allows that
	Job        string     `json:"job,omitempty"`
	Size       int64      `json:"size,omitempty"`   // of the archive, in bytes
	SHA256     string     `json:"sha256,omitempty"` // of the archive
	ResolvedAt time.Time  `json:"resolved_at"`
	ResolvedBy string     `json:"resolved_by"`
	Files      []LockFile `json:"files"` // sorted by path
}

// LockFile is a file or link of a source.
type LockFile struct {
	Path   string `json:"path"`             // relative to the manifest's directory
	Name   string `json:"name"`             // in the archive
	Mode   string `json:"mode,omitempty"`   // permission bits in octal; not of links
	Size   int64  `json:"size,omitempty"`   // bytes
	SHA256 string `json:"sha256,omitempty"` // of files
	Target string `json:"target,omitempty"` // of links
}

// lockVersion is the version of new lock files. In those of version 1, which can still be
// read, Asked is a fingerprint.
const lockVersion = 2

// MaxLock is the maximum size of a lock file, in bytes: half a million files.
const MaxLock = 128 << 20

// ReadLock reads a lock file. A missing one is empty.
func ReadLock(ctx context.Context, file string) (Lock, error) {
	text, err := smallfile.Read(ctx, file, MaxLock)
	if errors.Is(err, fs.ErrNotExist) {
		return Lock{Version: lockVersion}, nil
	}
	if err != nil {
		return Lock{}, err
	}
	if at := conflict(text); at > 0 {
		return Lock{}, &Error{
			File: file, Line: at, Column: 1, What: "it has a merge conflict",
			Fix: "restore one side of it with git checkout, then run artifetch sync: it locks what that side lacks",
		}
	}
	l, what := parseLock(text)
	switch {
	case l.Version > lockVersion:
		return Lock{}, &Error{File: file, What: fmt.Sprintf("version %d is not known", l.Version), Fix: "a newer artifetch wrote it: use that one"}
	case what != "":
		return Lock{}, &Error{File: file, What: "it isn't a lock file: " + what, Fix: "restore it from version control, or delete it: sync makes a new one"}
	}
	return l, nil
}

// conflict returns the line of the first conflict marker of a merge in a text, or 0.
func conflict(text []byte) int {
	for i, line := range bytes.Split(text, []byte("\n")) {
		if bytes.HasPrefix(line, []byte("<<<<<<< ")) || bytes.HasPrefix(line, []byte(">>>>>>> ")) {
			return i + 1
		}
	}
	return 0
}

// Bytes returns the lock file: the same for the same sources, in any order. Each key of a
// source and each file has its own line.
func (l Lock) Bytes() ([]byte, error) {
	sources := slices.Clone(l.Sources)
	// slices.SortFunc would add 10 kB of code for each type.
	sort.Slice(sources, func(i, j int) bool { return sources[i].Name < sources[j].Name })
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n  \"version\": %d,\n  \"sources\": [", lockVersion)
	for i, s := range sources {
		b.WriteString(separator(i) + "\n    ")
		if err := s.write(&b); err != nil {
			return nil, err
		}
	}
	b.WriteString(strings.Repeat("\n  ", min(len(sources), 1)) + "]\n}\n")
	return printable.JSON(b.Bytes()), nil
}

// write writes an entry with a line for each file.
func (s Locked) write(b *bytes.Buffer) error {
	files := slices.Clone(s.Files)
	SortFiles(files)
	s.Files, s.ResolvedAt = nil, s.ResolvedAt.UTC().Truncate(time.Second)
	if err := encode(b, s, "    ", "  "); err != nil {
		return err
	}
	b.Truncate(b.Len() - len("null\n    }")) // Files is the last field
	b.WriteString("[")
	for i, f := range files {
		b.WriteString(separator(i) + "\n        ")
		if err := encode(b, f, "", ""); err != nil {
			return err
		}
	}
	b.WriteString(strings.Repeat("\n      ", min(len(files), 1)) + "]\n    }")
	return nil
}

func separator(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

// encode writes JSON without a final line break.
func encode(b *bytes.Buffer, v any, prefix, indent string) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, indent)
	err := e.Encode(v)
	b.Truncate(max(b.Len()-1, 0))
	return err
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
