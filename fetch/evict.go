package fetch

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// DefaultCacheSize is how many bytes a cache may have, if nobody says otherwise.
const DefaultCacheSize = 10 << 30

// kept is an object of the cache.
type kept struct {
	path string
	size int64
	used time.Time
}

// evict removes the objects that were not used for longest, until the others fit
// into so many bytes. The one at spare stays. Whoever has one open keeps what it has;
// a ref to one that is gone counts as none.
func (c cache) evict(limit int64, spare string) {
	paths, err := filepath.Glob(filepath.Join(c.dir, "objects", "[0-9a-f]*"))
	if err != nil {
		return // it is well-formed
	}
	var all []kept
	var total int64
	for _, path := range paths {
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
			all = append(all, kept{path, info.Size(), info.ModTime()})
			total += info.Size()
		}
	}
	slices.SortFunc(all, func(a, b kept) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path)) })
	for _, object := range all {
		if total <= limit {
			return
		}
		if object.path != spare && os.Remove(object.path) == nil {
			total -= object.size
		}
	}
}

// touch notes that an object is used.
func touch(path string) {
	now := time.Now()
	_ = os.Chtimes(path, now, now) // it would only be evicted sooner
}
