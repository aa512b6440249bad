package fetch

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"syscall"
	"time"

	"gitlab.com/artifetch/artifetch/internal/digest"
	"gitlab.com/artifetch/artifetch/internal/filelock"
)

// turn waits as long as another run downloads what is at an address into the cache. Where
// there can be no locks, each downloads it itself. The caller must call done.
func (c cache) turn(ctx context.Context, address string, waiting func()) (done func(), err error) {
	path := strings.TrimSuffix(c.ref(address), ".json") + ".lock"
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return func() {}, nil //nolint:nilerr // keep reports it
	}
	return filelock.Turn(ctx, path, waiting)
}

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

// isLocal reports whether an error is the file system's.
func isLocal(err error) bool {
	_, path := errors.AsType[*os.PathError](err)
	_, link := errors.AsType[*os.LinkError](err)
	return path || link || errors.Is(err, syscall.ENOSPC)
}

// isObject reports whether text is the name of an object: a digest as we write it.
func isObject(text string) bool {
	lower, ok := digest.Parse(text)
	return ok && text == lower
}
