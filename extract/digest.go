package extract

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io/fs"
)

// Recorded is a file or link that is in the stage.
type Recorded struct {
	Path   string // where it goes, relative to the output directory
	Name   string // in the archive
	Mode   fs.FileMode
	Size   int64
	SHA256 string // in lower-case hexadecimal; not of links
	Target string // of a link
}

// digest holds the content of a file against the SHA-256 that it must have, and
// tells it.
type digest struct {
	entry *entry
	opts  Options
	mode  fs.FileMode
	hash  hash.Hash // nil if nobody wants to know
}

func (s *Stage) newDigest(e *entry, o Options) digest {
	if o.Digests == nil && o.Record == nil {
		return digest{}
	}
	return digest{e, o, s.tree.permissions(e), sha256.New()}
}

func (d digest) add(p []byte) {
	if d.hash != nil {
		_, _ = d.hash.Write(p) // never fails
	}
}

func (d digest) finish() error {
	if d.hash == nil {
		return nil
	}
	got := hex.EncodeToString(d.hash.Sum(nil))
	switch want := d.opts.Digests[d.entry.path]; {
	case d.opts.Digests == nil:
	case want == "":
		return &ProvenanceError{fmt.Sprintf("nothing is said of %q", d.entry.name)}
	case got != want:
		return &ProvenanceError{fmt.Sprintf("%q has the SHA-256 %s, not %s", d.entry.name, got, want)}
	}
	if d.opts.Record != nil {
		d.opts.Record(Recorded{Path: d.entry.dest, Name: d.entry.path, Mode: d.mode, Size: d.entry.size, SHA256: got})
	}
	return nil
}

// ProvenanceError reports what is not as the runner's statement has it.
type ProvenanceError struct{ What string }

// Error implements error.
func (e *ProvenanceError) Error() string {
	return "the statement of provenance does not hold: " + e.What
}

// Hint says what to do next.
func (*ProvenanceError) Hint() string {
	return "nothing was extracted; the archive, or the statement in it, was changed after the job, or is of another job"
}
