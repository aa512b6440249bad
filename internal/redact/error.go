package redact

import (
	"net/url"
	"strconv"
	"strings"
)

// Error returns an error that reads like err with every URL redacted, and that
// unwraps to err, so that [errors.Is] and [errors.As] see what they saw before.
// It returns nil for nil, and err itself if there is nothing to redact.
//
// Errors found by unwrapping still print in full: print the whole error, not
// a part of it.
func Error(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	clean := text
	for _, u := range addresses(err) {
		clean = replaceURL(clean, u)
	}
	if clean = Text(clean); clean == text {
		return err
	}
	return &redactedError{text: clean, err: err}
}

type redactedError struct {
	text string
	err  error
}

// Error implements error.
func (e *redactedError) Error() string { return e.text }

// Unwrap gives access to the error as it was.
func (e *redactedError) Unwrap() error { return e.err }

// addresses returns the URLs of every [*url.Error] in the tree of err. They may
// be relative or malformed, so that no pattern would find them in the text.
func addresses(err error) []string {
	var found []string
	if e, ok := err.(*url.Error); ok { //nolint:errorlint // one node of the tree, not the tree
		found = append(found, e.URL)
	}
	switch e := err.(type) { //nolint:errorlint // walks the tree itself
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			found = append(found, addresses(inner)...)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if inner != nil {
				found = append(found, addresses(inner)...)
			}
		}
	}
	return found
}

// replaceURL redacts u in text, where [*url.Error] prints it quoted.
func replaceURL(text, u string) string {
	clean := URL(u)
	if clean == u {
		return text
	}
	text = strings.ReplaceAll(text, strconv.Quote(u), strconv.Quote(clean))
	return strings.ReplaceAll(text, u, clean)
}
