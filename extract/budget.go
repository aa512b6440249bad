package extract

import (
	"fmt"
	"math"
	"sync"
)

// Limits are what an archive, with the archives in it, may take. The zero value has
// defaults.
type Limits struct {
	// MaxBytes limits the size of what is extracted. Zero means 64 GiB.
	MaxBytes int64
	// MaxRatio limits how many times its own size an archive unpacks to, once that
	// is more than 1 GiB. Zero means 1000: DEFLATE reaches 1032 (RFC 1951), the most
	// repetitive logs somewhat less.
	MaxRatio int64
	// MaxFiles limits the number of entries, and of the directories that they need.
	// Zero means 500,000.
	MaxFiles int
}

const (
	defaultMaxBytes = 64 << 30
	defaultMaxFiles = 500_000
	defaultMaxRatio = 1000
	freeRatio       = 1 << 30 // bytes that any archive may unpack to
)

func (l Limits) withDefaults() Limits {
	if l.MaxBytes <= 0 {
		l.MaxBytes = defaultMaxBytes
	}
	if l.MaxFiles <= 0 {
		l.MaxFiles = defaultMaxFiles
	}
	if l.MaxRatio <= 0 {
		l.MaxRatio = defaultMaxRatio
	}
	return l
}

// maxNames limits what is kept in memory of the names and link targets of an
// archive, with those of the archives in it, in bytes: 500,000 names of 134 bytes.
const maxNames = 64 << 20

// budget is what an archive, with the archives in it, has used of its limits. It is
// an [archive.Budget].
type budget struct {
	limits  Limits
	archive int64 // its own size, in bytes
	free    int64 // bytes that any archive may unpack to; freeRatio if zero

	mu       sync.Mutex
	bytes    int64 // of files, promised or written
	unpacked int64 // that came out of a decompressor, wanted or not
	names    int64 // bytes of names
	entries  int
}

func newBudget(l Limits) *budget { return &budget{limits: l.withDefaults(), archive: math.MaxInt64} }

// take takes bytes before they are written.
func (b *budget) take(n int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n > math.MaxInt64-b.bytes || b.bytes+n > b.limits.MaxBytes {
		return &LimitError{What: "bytes", Limit: b.limits.MaxBytes, Option: "MaxBytes"}
	}
	b.bytes += n
	return b.checkRatio(b.bytes)
}

// unpack counts what comes out of a stream: everything before a small member must
// be decompressed to reach it.
func (b *budget) unpack(n int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unpacked += int64(n)
	return b.checkRatio(b.unpacked)
}

func (b *budget) checkRatio(bytes int64) error {
	free := b.free
	if free == 0 {
		free = freeRatio
	}
	if bytes > free && bytes/b.limits.MaxRatio > b.archive {
		return &LimitError{What: fmt.Sprintf("times its own %d bytes", b.archive), Limit: b.limits.MaxRatio, Option: "MaxRatio"}
	}
	return nil
}

// count counts entries.
func (b *budget) count(n int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries += n
	return b.Entries(int64(b.entries))
}

// Entries returns an error if one archive, or all together, may not have n entries.
func (b *budget) Entries(n int64) error {
	if n > int64(b.limits.MaxFiles) {
		return &LimitError{What: "entries", Limit: int64(b.limits.MaxFiles), Option: "MaxFiles"}
	}
	return nil
}

// Name takes the bytes of a name, or of a link's target, before it is kept.
func (b *budget) Name(bytes int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.names += int64(bytes); b.names > maxNames {
		return &LimitError{What: "bytes of names", Limit: maxNames}
	}
	return nil
}
