package extract

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io/fs"
	"sync/atomic"

	"gitlab.com/artifetch/artifetch/extract/internal/staging"
)

// Recorded is a file or link that is in the stage.
type Recorded struct {
	Path   string // where it goes, relative to the output directory
	Name   string // in the archive
	Mode   fs.FileMode
	Size   int64
	SHA256 string // in lower-case hexadecimal; empty for links
	Target string // of a link
}

// stagedFile is a file of an archive that is being written to the stage. It checks
// the file's SHA-256 and records it.
type stagedFile struct {
	staging.File
	entry *entry
	opts  *Options
	hash  hash.Hash // nil if it isn't needed
}

// create creates the file of an entry.
func (s *Stage) create(e *entry, o *Options) (*stagedFile, error) {
	f, err := s.dir.Create(staging.NewFile{Path: e.dest, Mode: e.Mode, ModTime: e.ModTime, Entry: e.Name, By: o.Label})
	if err != nil {
		return nil, err
	}
	staged := &stagedFile{File: f, entry: e, opts: o}
	if o.Digests != nil || o.Record != nil {
		staged.hash = sha256.New()
	}
	return staged, nil
}

// Write implements [io.Writer].
func (f *stagedFile) Write(p []byte) (int, error) {
	if f.hash != nil {
		_, _ = f.hash.Write(p) // never fails
	}
	return f.File.Write(p)
}

// Close closes the file. If err is nil, it reports the file as staged.
func (f *stagedFile) Close(err error) error {
	if err == nil && f.hash != nil {
		err = f.checkDigest(hex.EncodeToString(f.hash.Sum(nil)))
	}
	if err := f.File.Close(err); err != nil {
		return err
	}
	if f.Twice() {
		f.opts.again.add(f.entry.Size)
	}
	f.opts.OnFile(f.entry.dest, f.entry.Size)
	return nil
}

// repeats counts the files of an archive that another one had as well.
type repeats struct{ files, bytes atomic.Int64 }

func (r *repeats) add(size int64) {
	r.files.Add(1)
	r.bytes.Add(size)
}

func (f *stagedFile) checkDigest(got string) error {
	e := f.entry
	switch want := f.opts.Digests[e.path]; {
	case f.opts.Digests == nil:
	case want == "":
		return &ProvenanceError{fmt.Sprintf("it doesn't list %q", e.Name)}
	case got != want:
		return &ProvenanceError{fmt.Sprintf("%q has the SHA-256 %s, not %s", e.Name, got, want)}
	}
	if f.opts.Record != nil {
		f.opts.Record(Recorded{Path: e.dest, Name: e.path, Mode: f.Permissions(), Size: e.Size, SHA256: got})
	}
	return nil
}
