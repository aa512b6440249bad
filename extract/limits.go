package extract

import (
	"fmt"
	"hash/maphash"
	"math"
	"sync"
)

// maxNames bounds what is kept in memory of the names and link targets of an
// archive, with those of the archives in it, in bytes: 500,000 names of 134 bytes.
const maxNames = 64 << 20

// spent is what an archive, with those that are in it, has taken of its limits.
type spent struct {
	archive int64 // its own size, in bytes
	free    int64 // bytes that may come of any archive; freeRatio if zero

	mu       sync.Mutex
	bytes    int64 // that files will have
	unpacked int64 // that came out of a decompressor, wanted or not
	names    int64 // bytes of names
	entries  int
}

// take takes bytes before they are written.
func (s *spent) take(n int64, o Options) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > math.MaxInt64-s.bytes || s.bytes+n > o.MaxBytes {
		return &LimitError{What: "bytes", Limit: o.MaxBytes, Option: "MaxBytes"}
	}
	s.bytes += n
	return s.checkRatio(s.bytes, o)
}

// unpack counts what comes out of a stream: to get at a small member, all that is
// in front of it has to be decompressed.
func (s *spent) unpack(n int, o Options) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unpacked += int64(n)
	return s.checkRatio(s.unpacked, o)
}

func (s *spent) checkRatio(bytes int64, o Options) error {
	free := s.free
	if free == 0 {
		free = freeRatio
	}
	if bytes > free && bytes/o.MaxRatio > s.archive {
		return &LimitError{What: fmt.Sprintf("times its own %d bytes", s.archive), Limit: o.MaxRatio, Option: "MaxRatio"}
	}
	return nil
}

// count counts entries.
func (s *spent) count(n int, o Options) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries += n; s.entries > o.MaxFiles {
		return tooManyEntries(o)
	}
	return nil
}

func tooManyEntries(o Options) error {
	return &LimitError{What: "entries", Limit: int64(o.MaxFiles), Option: "MaxFiles"}
}

// name counts the bytes of a name, or of a link's target, before it is kept.
func (s *spent) name(n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names += int64(n); s.names > maxNames {
		return &LimitError{What: "bytes of names", Limit: maxNames}
	}
	return nil
}

// kind is what the path of an archive is known to be.
type kind byte

const (
	unknownKind kind = iota
	dirKind
	fileKind // a file that is in the stage
	otherKind
)

// kinds remembers paths by a hash with a secret seed: sixteen bytes each, however
// long they are. Should two paths ever share a hash, the archive is refused.
type kinds struct {
	seed  maphash.Seed
	paths map[uint64]kind
}

func newKinds(n int) kinds { return kinds{maphash.MakeSeed(), make(map[uint64]kind, n)} }

func (k kinds) of(path string) kind { return k.paths[maphash.String(k.seed, path)] }

func (k kinds) set(path string, to kind) { k.paths[maphash.String(k.seed, path)] = to }
