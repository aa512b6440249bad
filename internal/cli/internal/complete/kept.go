package complete

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"gitlab.com/artifetch/artifetch/internal/atomicfile"
)

// keptFor is how long words are kept: a person presses tab several times for one word.
const keptFor = time.Minute

// Kept returns what find finds, or what it found for the same key less than a minute ago.
// The words are in a directory that only the user can read; if that can't be written,
// nothing is kept. What a key contains can't be read there.
func Kept(dir, key string, find func() []Word) []Word {
	hash := sha256.Sum256([]byte(key))
	file := filepath.Join(dir, hex.EncodeToString(hash[:]))
	if info, err := os.Stat(file); err == nil && fresh(info) {
		var words []Word
		if text, err := os.ReadFile(file); err == nil && json.Unmarshal(text, &words) == nil { //nolint:gosec // the user's own directory
			return words
		}
	}
	words := find()
	if len(words) > 0 {
		keep(dir, file, words)
	}
	return words
}

// keep writes words to a file, and removes files that are too old. Without them, a shell
// asks again.
func keep(dir, file string, words []Word) {
	if os.MkdirAll(dir, 0o700) != nil {
		return
	}
	entries, _ := os.ReadDir(dir) // none: nothing to remove
	for _, e := range entries {
		if info, err := e.Info(); err == nil && !fresh(info) {
			_ = os.Remove(filepath.Join(dir, e.Name())) // the next run tries again
		}
	}
	text, err := json.Marshal(words)
	if err != nil {
		return
	}
	p, err := atomicfile.New(dir, 0o600)
	if err != nil {
		return
	}
	defer p.Discard()
	if _, err := p.Write(text); err == nil {
		_ = p.Commit(file) // without it, a shell asks again
	}
}

func fresh(info os.FileInfo) bool {
	age := time.Since(info.ModTime())
	return age >= 0 && age < keptFor
}
