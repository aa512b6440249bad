package fetch

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

var (
	// ErrChanged reports that the object at the address isn't the one that was opened, or
	// the one that GitLab lists.
	ErrChanged = errors.New("the archive changed while it was read")
	// ErrCannotTell reports that two answers have nothing that shows whether they are
	// about the same object.
	ErrCannotTell = errors.New("the server doesn't identify its archives")
	// ErrNoRanges reports a server that sends a large file only as a whole.
	ErrNoRanges = errors.New("the server doesn't support range requests")
)

// StorageError reports that GitLab redirected to a host that didn't answer.
type StorageError struct {
	Host string
	Err  error
}

// Error implements error.
func (e *StorageError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *StorageError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *StorageError) Hint() string {
	return "GitLab redirects to its storage " + e.Host + ", which can't be reached from here: check the network and proxies, or have GitLab send the file itself"
}

// errAvoided is the reason for not asking a host.
var errAvoided = errors.New("GitLab redirects to its storage")

// SizeError reports a file whose size differs from GitLab's listing: it isn't the file
// that was listed.
type SizeError struct{ Listed, Sent int64 } // in bytes; Sent may be less than the file's size if reading stopped early

// Error implements error.
func (e *SizeError) Error() string {
	return fmt.Sprintf("the server sends %d bytes, not the listed %d", e.Sent, e.Listed)
}

// Unwrap returns [ErrChanged].
func (*SizeError) Unwrap() error { return ErrChanged }

// Hint says what to do next.
func (*SizeError) Hint() string {
	return "run it again; if that doesn't help, a proxy or the storage sends a file other than the one that GitLab lists: ask its operator"
}

// AnswerError reports an answer that doesn't fit the request, so its bytes could come
// from any part of the archive.
type AnswerError struct{ Host, What string }

// Error implements error.
func (e *AnswerError) Error() string { return e.Host + " " + e.What }

// Hint says what to do next.
func (*AnswerError) Hint() string {
	return "ask the operator of the proxy or web server in between to pass requests and archives through unchanged"
}

// answered makes an AnswerError.
func answered(resp *http.Response, format string, args ...any) error {
	host := "the server"
	if resp.Request != nil {
		host = resp.Request.URL.Host
	}
	return &AnswerError{Host: host, What: redact.Said(resp, fmt.Sprintf(format, args...))}
}

// BrokenError reports a download that was interrupted and couldn't be resumed.
type BrokenError struct {
	Offset int64 // where it was interrupted, in bytes
	Err    error // why the last attempt ended
}

// Error implements error.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("download interrupted at byte %d: %v", e.Offset, e.Err)
}

// Unwrap returns the reason.
func (e *BrokenError) Unwrap() error { return notAnEnd(e.Err) }

// Hint says what to do next.
func (e *BrokenError) Hint() string {
	return "the server or a proxy ends the connection: try again later, or allow more attempts"
}

// notAnEnd returns a connection's error as one that isn't io.EOF. The end of a connection
// isn't the end of a file: readers that check for io.EOF would take the archive for a
// truncated one and call it damaged.
func notAnEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &connectionError{err}
	}
	return err
}

// connectionError wraps an error without revealing the io.EOF in it.
type connectionError struct{ err error }

// Error implements error.
func (e *connectionError) Error() string { return e.err.Error() }

// Is hides the ends of files.
func (e *connectionError) Is(target error) bool {
	return target != io.EOF && target != io.ErrUnexpectedEOF && errors.Is(e.err, target)
}

// As finds any other error.
func (e *connectionError) As(target any) bool { return errors.As(e.err, target) }
