package extract

import (
	"io/fs"
	"time"

	"gitlab.com/artifetch/artifetch/internal/openfiles"
)

// makeRoom closes the directories that were not used for longest, so that fewer than
// limit are open, as far as they are not in use. It reports whether it closed any.
func (t *tree) makeRoom(limit int) (closed bool) {
	for len(t.open) >= limit {
		var oldest *openDir
		for _, d := range t.open {
			if d.refs == 0 && (oldest == nil || d.used < oldest.used) {
				oldest = d
			}
		}
		if oldest == nil {
			break
		}
		oldest.close()
		delete(t.open, oldest.path)
		closed = true
	}
	return closed
}

const (
	roomTries = 200
	roomPause = 10 * time.Millisecond
)

// withRoom makes a call that needs one more open file. If there may be no more, it
// closes what it can and tries again: files and connections of others are closed
// sooner or later, too.
func withRoom(call func() error, makeRoom func(limit int) (closed bool)) error {
	for range roomTries {
		err := call()
		if !openfiles.Exhausted(err) {
			return err
		}
		if !makeRoom(0) {
			time.Sleep(roomPause)
		}
	}
	return call()
}

// createIn creates a file in an open directory.
func (t *tree) createIn(dir *openDir, name string, perm fs.FileMode) (f outFile, err error) {
	err = withRoom(func() error { f, err = dir.create(name, perm); return err }, func(limit int) bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.makeRoom(limit)
	})
	return f, err
}
