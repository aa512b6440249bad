package extract

import (
	"errors"
	"fmt"
	"strings"
)

// ErrCorrupt is what every [CorruptError] is.
var ErrCorrupt = errors.New("corrupt archive")

// UnsafeError refuses an archive that would do harm. Nothing was written.
type UnsafeError struct {
	Entry  string // as it stands in the archive; empty if the archive as a whole is meant
	Reason string
}

// Error implements error.
func (e *UnsafeError) Error() string {
	if e.Entry == "" {
		return "unsafe archive: " + e.Reason
	}
	return fmt.Sprintf("unsafe entry %q: %s", e.Entry, e.Reason)
}

// Hint says what to do next.
func (*UnsafeError) Hint() string {
	return "nothing was extracted; anyone who can run the job can create such an archive: check the job that created it"
}

// LimitError refuses an archive that is larger than allowed.
type LimitError struct {
	What  string // such as "bytes" or "entries"
	Limit int64
	// Option is the field of [Options] that raises it. Empty means that it is fixed.
	Option string
	// Advice is what to do about a fixed limit. Empty means to make smaller archives.
	Advice string
}

// Error implements error.
func (e *LimitError) Error() string {
	return fmt.Sprintf("the archive has more than %d %s", e.Limit, e.What)
}

// Hint says what to do next.
func (e *LimitError) Hint() string {
	switch {
	case e.Option != "":
		return "if that is what you expect, raise the limit"
	case e.Advice != "":
		return e.Advice
	}
	return "this limit is fixed: split the job's artifacts"
}

// CorruptError reports damage: what does not agree with itself.
type CorruptError struct {
	Entry string // empty if the archive as a whole is meant
	Err   error
}

// Error implements error.
func (e *CorruptError) Error() string {
	if e.Entry == "" {
		return "corrupt archive: " + e.Err.Error()
	}
	return fmt.Sprintf("corrupt archive: entry %q: %v", e.Entry, e.Err)
}

// Unwrap gives the reason.
func (e *CorruptError) Unwrap() error { return e.Err }

// Is makes it an [ErrCorrupt].
func (*CorruptError) Is(target error) bool { return target == ErrCorrupt }

// Hint says what to do next.
func (*CorruptError) Hint() string {
	return "nothing was extracted; re-run the job that created the archive"
}

func corrupt(entry, format string, args ...any) error {
	return &CorruptError{entry, fmt.Errorf(format, args...)}
}

// NotArchiveError reports a body that isn't an archive.
type NotArchiveError struct {
	What  string // such as "an HTML page"
	Head  string // how it begins
	Local bool   // it is a file of this machine, and not what a server has answered
}

// Error implements error.
func (e *NotArchiveError) Error() string {
	if e.Head == "" {
		return "not an archive: got " + e.What
	}
	return fmt.Sprintf("not an archive: got %s: %q", e.What, e.Head)
}

// Hint says what to do next.
func (e *NotArchiveError) Hint() string {
	switch {
	case strings.HasPrefix(e.What, "a single "):
		return "give the file itself, and not its content on standard input"
	case strings.Contains(e.What, "HTML"):
		return "a login page, or a proxy in between: check the server's address and the token"
	case e.Local:
		return "use the file as it is: reports, such as junit.xml, are stored without an archive"
	}
	return "check the server's address, and any proxy in between"
}

// UnsupportedError reports an archive in a format that cannot be unpacked.
type UnsupportedError struct {
	Format string // such as "a RAR archive"
}

// Error implements error.
func (e *UnsupportedError) Error() string { return "cannot unpack " + e.Format }

// Hint says what to do next.
func (*UnsupportedError) Hint() string {
	return "repack it as zip, 7z, or a tar compressed by gzip, bzip2, xz, zstd, lz4, lzip or lzma"
}

// NoMatchError reports patterns that select nothing.
type NoMatchError struct {
	Patterns []string
	Near     []string // names that look like the first pattern
}

// Error implements error.
func (e *NoMatchError) Error() string {
	return fmt.Sprintf("no file matches %s", quoteAll(e.Patterns))
}

// Hint says what to do next.
func (e *NoMatchError) Hint() string {
	if len(e.Near) == 0 {
		return "names are as in the archive, with no leading slash; ** crosses directories, * does not"
	}
	return "the archive has " + quoteAll(e.Near)
}

// ConflictError reports two things that cannot both have one path.
type ConflictError struct {
	Path   string
	Reason string
}

// Error implements error.
func (e *ConflictError) Error() string { return fmt.Sprintf("%q: %s", e.Path, e.Reason) }

// Hint says what to do next.
func (*ConflictError) Hint() string {
	return "nothing was changed; choose another directory, or other files"
}

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(quoted, ", ")
}
