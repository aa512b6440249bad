package gitlab

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Sentinels for the statuses that callers distinguish. [Error.Is] matches them.
var (
	ErrUnauthorized = errors.New("unauthorized")
	ErrForbidden    = errors.New("forbidden")
	ErrNotFound     = errors.New("not found")
)

// Error is an answer that isn't a success, from GitLab or from the object storage that it
// redirects to.
type Error struct {
	Method      string
	URL         string // redacted
	StatusCode  int
	Message     string // of the server, on one line; may be empty
	RequestID   string // for the server's administrator
	FromStorage bool   // object storage answered, not GitLab
	Lack        *Lack  // what the token lacks; nil if the server doesn't say

	routeMissing bool
}

// Error implements error.
func (e *Error) Error() string {
	who := "GitLab"
	if e.FromStorage {
		who = "object storage"
	}
	status := fmt.Sprintf("%d %s", e.StatusCode, http.StatusText(e.StatusCode))
	text := fmt.Sprintf("%s answers %s to %s %s", who, status, e.Method, e.URL)
	if reason := e.reason(); reason != "" {
		text += ": " + reason
	}
	return text
}

// reason returns the message without its status, which many of GitLab's start with, as in
// "403 Forbidden - Job is not erasable!".
func (e *Error) reason() string {
	text, repeats := strings.CutPrefix(e.Message, strconv.Itoa(e.StatusCode)+" ")
	words := http.StatusText(e.StatusCode)
	if len(text) >= len(words) && strings.EqualFold(text[:len(words)], words) {
		text, repeats = text[len(words):], true
	}
	if repeats {
		text = strings.TrimLeft(text, " -:.")
	}
	return text
}

// Is matches the sentinel for the status.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrUnauthorized:
		return e.StatusCode == http.StatusUnauthorized
	case ErrForbidden:
		return e.StatusCode == http.StatusForbidden
	case ErrNotFound:
		return e.StatusCode == http.StatusNotFound
	}
	return false
}

// ProjectNotFound reports whether GitLab denies that the project exists. It does so for
// projects that the token can't see, and, if job tokens on the artifacts API aren't
// licensed, for every project.
func (e *Error) ProjectNotFound() bool {
	return !e.FromStorage && e.StatusCode == http.StatusNotFound && e.Message == "404 Project Not Found"
}

// NotNow reports whether GitLab refuses because of the current state rather than the
// token: a job isn't playable (400), a project's size is being calculated (409), or one
// of two 403 that differ only in their words (lib/api/ci/jobs.rb).
func (e *Error) NotNow() bool {
	switch e.StatusCode {
	case http.StatusBadRequest, http.StatusConflict:
		return !e.FromStorage
	case http.StatusForbidden:
		return !e.FromStorage && (strings.Contains(e.Message, "not retryable") || strings.Contains(e.Message, "not erasable"))
	}
	return false
}

// NotAPI reports whether a page answers, and not GitLab's API. GitLab has such a page for
// addresses that it doesn't know, as do servers in front of it.
func (e *Error) NotAPI() bool {
	return e.StatusCode == http.StatusNotFound && !e.FromStorage && strings.HasPrefix(e.Message, htmlPage)
}

// lacksRoute reports whether this version of GitLab doesn't have the route: that 404
// has its text in "error", while a missing record's has it in "message" (lib/api/api.rb).
func (e *Error) lacksRoute() bool {
	return e.StatusCode == http.StatusNotFound && !e.FromStorage && e.routeMissing
}
