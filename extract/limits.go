package extract

import (
	"fmt"
	"math"
	"sync"
)

// spent is what an archive, with those that are in it, has taken of its limits.
type spent struct {
	archive int64 // its own size, in bytes

	mu      sync.Mutex
	bytes   int64
	entries int
}

// take takes bytes before they are written.
func (s *spent) take(n int64, o Options) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > math.MaxInt64-s.bytes || s.bytes+n > o.MaxBytes {
		return &LimitError{"bytes", o.MaxBytes, "--max-bytes"}
	}
	s.bytes += n
	if s.bytes > freeRatio && s.bytes/o.MaxRatio > s.archive {
		return &LimitError{fmt.Sprintf("times its own %d bytes", s.archive), o.MaxRatio, "--max-ratio"}
	}
	return nil
}

// count counts entries.
func (s *spent) count(n int, o Options) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries += n; s.entries > o.MaxFiles {
		return &LimitError{"entries", int64(o.MaxFiles), "--max-files"}
	}
	return nil
}
