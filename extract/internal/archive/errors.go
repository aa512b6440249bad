package archive

import "fmt"

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
	return fmt.Sprintf("corrupt archive: entry %q: %v", e.Entry, e.Err)
}

// Unwrap gives the reason.
func (e *CorruptError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (*CorruptError) Hint() string {
	return "nothing was extracted; re-run the job that created the archive"
}

// Corrupt returns a [CorruptError]. An empty entry means the archive as a whole.
func Corrupt(entry, format string, args ...any) error {
	return &CorruptError{entry, fmt.Errorf(format, args...)}
}
