package archive

import (
	"fmt"
	"strconv"
	"strings"
)

// UnsafeError refuses an archive that would do harm. Nothing was written.
type UnsafeError struct {
	Entry  string // its name in the archive; empty for the archive as a whole
	Reason string
}

// Error implements error.
func (e *UnsafeError) Error() string {
	if e.Entry == "" {
		return "unsafe archive: " + e.Reason
	}
	return "unsafe entry " + shown(e.Entry) + ": " + e.Reason
}

// maxShown is how many bytes of a name errors show: a name can have 64 KiB.
const maxShown = 512

// shown quotes a name for an error.
func shown(name string) string {
	if len(name) > maxShown {
		name = strings.ToValidUTF8(name[:maxShown], "") + "…"
	}
	return strconv.Quote(name)
}

// Hint says what to do next.
func (*UnsafeError) Hint() string {
	return "nothing was extracted; anyone who can run the job can create such an archive: check the job that created it"
}

// LimitError refuses an archive that is larger than allowed.
type LimitError struct {
	What  string // such as "bytes" or "entries"
	Limit int64
	// Option is the field of extract.Options that raises it. Empty means that it is
	// fixed.
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

// CorruptError reports damage: the archive contradicts itself.
type CorruptError struct {
	Entry string // its name in the archive; empty for the archive as a whole
	Err   error
}

// Error implements error.
func (e *CorruptError) Error() string {
	if e.Entry == "" {
		return "corrupt archive: " + e.Err.Error()
	}
	return "corrupt archive: entry " + shown(e.Entry) + ": " + e.Err.Error()
}

// Unwrap gives the reason.
func (e *CorruptError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (*CorruptError) Hint() string {
	return "nothing was extracted; re-run the job that created the archive"
}

// CorruptFormat returns a [CorruptError] about what a library says of data in a format.
// Libraries begin their errors with the format, too, or with their import path, and some
// wrap the errors of others that do so: each prefix appears once.
func CorruptFormat(format string, err error) error {
	text := strings.ReplaceAll(format+": "+err.Error(), "archive/tar: ", "tar: ")
	for parts := strings.Split(text, ": "); ; parts = parts[1:] {
		if len(parts) < 2 || parts[0] != parts[1] {
			return &CorruptError{Err: &worded{strings.Join(parts, ": "), err}}
		}
	}
}

// worded is an error in other words.
type worded struct {
	text string
	err  error
}

// Error implements error.
func (w *worded) Error() string { return w.text }

// Unwrap gives the error.
func (w *worded) Unwrap() error { return w.err }

// Corrupt returns a [CorruptError]. An empty entry means the archive as a whole.
func Corrupt(entry, format string, args ...any) error {
	return &CorruptError{entry, fmt.Errorf(format, args...)}
}
