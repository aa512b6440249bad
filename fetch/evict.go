package fetch

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"time"
)

// DefaultCacheSize is how many bytes a cache may have, if nobody says otherwise.
const DefaultCacheSize = 10 << 30

// evict removes the objects that were not used for longest, until the others fit
// into so many bytes. The one at spare stays. Runs that have one open keep what they
// have; a ref to one that is gone counts as none.
func (c cache) evict(limit int64, spare string) {
	objects := slices.DeleteFunc(c.objects(), func(f cacheFile) bool { return !isObject(filepath.Base(f.path)) })
	var total int64
	for _, object := range objects {
		total += object.size
	}
	sort.Slice(objects, func(i, j int) bool { // slices.SortFunc is 10 kB of code for each type
		a, b := objects[i], objects[j]
		return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path)) < 0
	})
	for _, object := range objects {
		if total <= limit {
			return
		}
		if object.path != spare && os.Remove(object.path) == nil {
			total -= object.size
		}
	}
}

// cacheFile is a regular file of the cache.
type cacheFile struct {
	path string
	size int64     // bytes
	used time.Time // when it was written, or used last
}

// objects lists the regular files of the cache's objects; none if it cannot be read.
func (c cache) objects() []cacheFile {
	dir := filepath.Join(c.dir, "objects")
	entries, _ := os.ReadDir(dir) // what was read of it counts
	var files []cacheFile
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			files = append(files, cacheFile{filepath.Join(dir, e.Name()), info.Size(), info.ModTime()})
		}
	}
	return files
}

// touch notes that an object is used.
func touch(path string) {
	now := time.Now()
	_ = os.Chtimes(path, now, now) // it would only be evicted sooner
}
