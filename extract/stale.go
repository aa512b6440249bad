package extract

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// lockName is the file in a stage that is locked while its owner lives.
const lockName = "lock"

// graceTime is how long a stage without a lock file is left alone: its owner may
// be about to make it.
const graceTime = 10 * time.Minute

// removeStale removes the stages of dead runs: those whose lock nobody holds.
// What cannot be removed is left; it is not what the user asked for.
func removeStale(out *os.Root) {
	entries, err := fs.ReadDir(out.FS(), ".")
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), stagePrefix) && dead(out, e.Name()) {
			_ = out.RemoveAll(e.Name()) // the next run tries again
		}
	}
}

func dead(out *os.Root, name string) bool {
	path := filepath.Join(out.Name(), name, lockName)
	if _, err := os.Lstat(path); err != nil {
		info, err := out.Lstat(name)
		return err == nil && time.Since(info.ModTime()) > graceTime
	}
	held, err := takeLock(path)
	if err != nil {
		return false
	}
	held.release()
	return true
}
