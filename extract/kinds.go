package extract

import "hash/maphash"

// kind is what a path of an archive is known to be.
type kind byte

const (
	unknownKind kind = iota
	dirKind
	fileKind // a file that is in the stage
	otherKind
)

// kinds remembers paths by a hash with a secret seed: sixteen bytes each, however
// long they are. If two paths ever share a hash, the archive is refused.
type kinds struct {
	seed  maphash.Seed
	paths map[uint64]kind
}

func newKinds(n int) kinds { return kinds{maphash.MakeSeed(), make(map[uint64]kind, n)} }

func (k kinds) of(path string) kind { return k.paths[maphash.String(k.seed, path)] }

func (k kinds) set(path string, to kind) { k.paths[maphash.String(k.seed, path)] = to }
