package extract

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
)

// digest holds the content of a file against the SHA-256 that it must have.
type digest struct {
	entry *entry
	want  string
	hash  hash.Hash // nil if any will do
}

func newDigest(e *entry, o Options) digest {
	if o.Digests == nil {
		return digest{}
	}
	return digest{e, o.Digests[e.path], sha256.New()}
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
	if d.want == "" {
		return &ProvenanceError{fmt.Sprintf("nothing is said of %q", d.entry.name)}
	}
	if got := hex.EncodeToString(d.hash.Sum(nil)); got != d.want {
		return &ProvenanceError{fmt.Sprintf("%q has the SHA-256 %s, not %s", d.entry.name, got, d.want)}
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
