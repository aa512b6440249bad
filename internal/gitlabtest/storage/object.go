package storage

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// Object is an open archive or report. Its content doesn't change, even if the world
// changes while it is being sent.
type Object struct {
	content
	inMemory bool // so it's cheap to hash on every request
	name     string
}

// File is a file that GitLab stores for a job: its archive or a report.
type File struct {
	Job      *world.Job
	Report   *world.Artifact // nil: the archive
	IsReport bool            // the request asks for a report, even if it doesn't exist
}

// Exists reports whether the job has the file.
func (f File) Exists() bool {
	if f.IsReport {
		return f.Report != nil
	}
	return f.Job.HasArchive()
}

// Access returns the file's level of artifacts:access.
func (f File) Access() string {
	if f.Report != nil {
		return cmp.Or(f.Report.Access, f.Job.Access)
	}
	return f.Job.Access
}

func (f File) name() string {
	if f.Report != nil {
		return f.Report.FileName()
	}
	return f.Job.ArchiveFileName()
}

// Path is the file's path in object storage.
func (f File) Path() string { return fmt.Sprintf("/artifacts/%d/%s", f.Job.ID, f.name()) }

// Open opens the file. The caller has locked the world. For changed, see
// [OpenArchive].
func (f File) Open(changed bool) (*Object, error) {
	if f.Report != nil {
		return &Object{inMemory{bytes.NewReader(f.Report.Bytes())}, true, f.name()}, nil
	}
	return OpenArchive(f.Job, changed)
}

type content interface {
	io.ReadSeeker
	io.ReaderAt
	io.Closer
}

// inMemory is content without anything to close.
type inMemory struct{ *bytes.Reader }

// Close implements [io.Closer].
func (inMemory) Close() error { return nil }

// OpenArchive opens a job's archive. The caller has locked the world. If changed, it is
// the archive that the fault "changed" puts in its place.
func OpenArchive(job *world.Job, changed bool) (*Object, error) {
	archive := job.Archive
	switch {
	case changed:
		archive = otherArchive()
	case archive == nil && job.ArchiveFile != "":
		f, err := os.Open(job.ArchiveFile)
		if err != nil {
			return nil, err
		}
		return &Object{content: f, name: job.ArchiveFileName()}, nil
	case archive == nil:
		archive = world.Zip(job.Files...)
	}
	return &Object{inMemory{bytes.NewReader(archive)}, true, job.ArchiveFileName()}, nil
}

// otherArchive replaces every archive after the fault "changed".
func otherArchive() []byte {
	return world.Zip(world.File{Name: "changed.txt", Content: strings.Repeat("another archive\n", 9999), Store: true})
}

// etag returns a strong validator: the digest of the content.
func (o *Object) etag(h hash.Hash) string {
	_, _ = io.Copy(h, o)
	_, _ = o.Seek(0, io.SeekStart)
	return `"` + hex.EncodeToString(h.Sum(nil)) + `"`
}
