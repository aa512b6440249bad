package staging

import (
	"io/fs"
	"time"

	"gitlab.com/artifetch/artifetch/internal/openfiles"
)

// makeRoom closes the least recently used directories until fewer than limit are
// open. It keeps those in use, and reports whether it closed any.
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

// withRoom makes a call that opens a file. If too many files are open, it closes
// directories and retries. If there are none to close, it waits: other workers will
// close files and connections.
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
