package gitlabtest

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
)

// object is an archive that was opened, as it was then: it is sent while the
// world may change.
type object struct {
	content
	inMemory bool // so that it may be hashed on every request
	name     string
}

// stored is a file of a job's as GitLab keeps it: its archive, or a report.
type stored struct {
	job     *Job
	report  *Artifact // nil: the archive
	missing bool      // a report was asked for, which may not be there
	open    bool      // without a check of artifacts:access
}

func (f stored) exists() bool {
	if f.missing {
		return f.report != nil
	}
	return f.job.HasArchive()
}

// access is the level of artifacts:access that the file has.
func (f stored) access() string {
	if f.report != nil {
		return cmp.Or(f.report.Access, f.job.Access)
	}
	return f.job.Access
}

func (f stored) name() string {
	if f.report != nil {
		return f.report.FileName()
	}
	return f.job.ArchiveFileName()
}

// path is where object storage has it.
func (f stored) path() string { return fmt.Sprintf("/artifacts/%d/%s", f.job.ID, f.name()) }

// openFile opens an archive or a report. The world is locked.
func (s *Server) openFile(f stored) (*object, error) {
	if f.report != nil {
		return &object{inMemory{bytes.NewReader(f.report.Bytes())}, true, f.name()}, nil
	}
	return s.open(f.job)
}

type content interface {
	io.ReadSeeker
	io.ReaderAt
	io.Closer
}

// inMemory is content that need not be closed.
type inMemory struct{ *bytes.Reader }

// Close implements [io.Closer].
func (inMemory) Close() error { return nil }

// open opens the archive of a job. The world is locked.
func (s *Server) open(job *Job) (*object, error) {
	s.mu.Lock()
	changed := s.changed
	s.mu.Unlock()
	archive := job.Archive
	switch {
	case changed:
		archive = otherArchive()
	case archive == nil && job.ArchiveFile != "":
		f, err := os.Open(job.ArchiveFile)
		if err != nil {
			return nil, err
		}
		return &object{content: f, name: job.ArchiveFileName()}, nil
	case archive == nil:
		archive = Zip(job.Files...)
	}
	return &object{inMemory{bytes.NewReader(archive)}, true, job.ArchiveFileName()}, nil
}

// otherArchive is what every archive is after the fault "changed".
func otherArchive() []byte {
	return Zip(File{Name: "changed.txt", Content: strings.Repeat("another archive\n", 9999), Store: true})
}

// etag is a strong validator, the digest of the content.
func (o *object) etag(h hash.Hash) string {
	_, _ = io.Copy(h, o)
	_, _ = o.Seek(0, io.SeekStart)
	return `"` + hex.EncodeToString(h.Sum(nil)) + `"`
}
