package fetch

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"time"
)

// defaultCacheSize is the default of [Options].CacheSize, in bytes.
const defaultCacheSize = 10 << 30

// evict removes the least recently used objects until the rest fit into limit bytes. It
// keeps the one at spare. Other runs that have a removed object open can still read it;
// refs to removed objects are ignored.
func (c cache) evict(limit int64, spare string) {
	objects := slices.DeleteFunc(c.objects(), func(f cacheFile) bool { return !isObject(filepath.Base(f.path)) })
	var total int64
	for _, object := range objects {
		total += object.size
	}
	sort.Slice(objects, func(i, j int) bool { // slices.SortFunc adds 10 kB of code for each type
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
	used time.Time // when it was written or last used
}

// objects lists the cached objects. If the directory can't be read, there are none.
func (c cache) objects() []cacheFile {
	dir := filepath.Join(c.dir, "objects")
	entries, _ := os.ReadDir(dir) // use what could be read
	var files []cacheFile
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			files = append(files, cacheFile{filepath.Join(dir, e.Name()), info.Size(), info.ModTime()})
		}
	}
	return files
}

// touch marks an object as used.
func touch(path string) {
	now := time.Now()
	_ = os.Chtimes(path, now, now) // if this fails, it is evicted sooner
}
