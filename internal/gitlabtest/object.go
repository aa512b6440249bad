package gitlabtest

import (
	"bytes"
	"encoding/hex"
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
		return &object{content: f}, nil
	case archive == nil:
		archive = Zip(job.Files...)
	}
	return &object{inMemory{bytes.NewReader(archive)}, true}, nil
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
