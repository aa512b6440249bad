package gitlab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

// Sentinels for the statuses that callers tell apart; an [*Error] is each of
// its own.
var (
	ErrUnauthorized = errors.New("unauthorized")
	ErrForbidden    = errors.New("forbidden")
	ErrNotFound     = errors.New("not found")
)

// Error is an answer that is no success, from GitLab or from the object storage
// that it redirects to.
type Error struct {
	Method      string
	URL         string // redacted
	StatusCode  int
	Message     string // what the server says, on one line; may be empty
	RequestID   string // for the server's administrator
	FromStorage bool   // an answer of object storage, not of GitLab
	Lack        *Lack  // what the token lacks; nil if the server does not say so

	routeMissing bool
}

// Error implements error.
func (e *Error) Error() string {
	who := "GitLab"
	if e.FromStorage {
		who = "object storage"
	}
	status := fmt.Sprintf("%d %s", e.StatusCode, http.StatusText(e.StatusCode))
	if e.Message == "" || strings.EqualFold(e.Message, status) {
		return fmt.Sprintf("%s answers %s to %s %s", who, status, e.Method, e.URL)
	}
	return fmt.Sprintf("%s answers %d to %s %s: %s", who, e.StatusCode, e.Method, e.URL, e.Message)
}

// Is makes an Error the sentinel of its status.
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

// ProjectNotFound reports whether GitLab denies the project itself. It says so
// of projects that the token may not see, and, without the licence for job
// tokens on the artifacts API, of every project.
func (e *Error) ProjectNotFound() bool {
	return !e.FromStorage && e.StatusCode == http.StatusNotFound && e.Message == "404 Project Not Found"
}

// NotNow reports whether GitLab refuses because of how things stand, and not
// because of the token: a job that is not playable (400), a project that is being
// counted (409), and two 403 that are told by their words (lib/api/ci/jobs.rb).
func (e *Error) NotNow() bool {
	switch e.StatusCode {
	case http.StatusBadRequest, http.StatusConflict:
		return !e.FromStorage
	case http.StatusForbidden:
		return !e.FromStorage && (strings.Contains(e.Message, "not retryable") || strings.Contains(e.Message, "not erasable"))
	}
	return false
}

// maxErrorBody bounds how much of an error's body is read, in bytes.
const maxErrorBody = 64 << 10

// CheckResponse returns nil for a success (2xx), and else an [*Error] with what the
// body says. It reads the body of errors and does not close it.
func CheckResponse(resp *http.Response) error {
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}
	return newError(resp)
}

// checkSuccess is the gate for the API's own answers: of all the ways to say that a
// request succeeded, only those that GitLab uses count (lib/api). Others, such as 202
// with something else's JSON, are from a server in between.
func checkSuccess(resp *http.Response) error {
	if err := CheckResponse(resp); err != nil {
		return err
	}
	expected := []int{http.StatusOK, http.StatusCreated} // of what is done to a job
	switch resp.Request.Method {
	case http.MethodGet:
		expected = []int{http.StatusOK}
		if resp.Request.Header.Get("Range") != "" {
			expected = append(expected, http.StatusPartialContent)
		}
	case http.MethodDelete:
		expected = []int{http.StatusNoContent, http.StatusAccepted}
	}
	if slices.Contains(expected, resp.StatusCode) {
		return nil
	}
	e := newError(resp)
	e.Message = strings.TrimSuffix("that isn't how GitLab answers this request: "+e.Message, ": ")
	return e
}

// checkPlain is the same for what isn't JSON, and may be a sign-in page therefore.
func checkPlain(resp *http.Response) error {
	if err := checkSuccess(resp); err != nil {
		return err
	}
	if media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); media != "text/html" { // malformed is as good as absent
		return nil
	}
	_ = resp.Body.Close() // it may be long
	resp.Body = http.NoBody
	e := newError(resp)
	e.Message = "that is an HTML page, such as a sign-in page"
	return e
}

// newError makes the error of an answer.
func newError(resp *http.Response) *Error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // half a body says more than none
	e := &Error{StatusCode: resp.StatusCode, RequestID: requestID(resp.Header)}
	if resp.Request != nil {
		e.Method, e.URL = resp.Request.Method, redact.URLOf(resp.Request.URL)
	}
	e.Message, e.FromStorage = message(resp.Header.Get("Content-Type"), body)
	e.FromStorage = e.FromStorage || redirected(resp)
	if e.StatusCode == http.StatusForbidden && !e.FromStorage {
		e.Lack = lackOf(body)
	}
	e.routeMissing = bytes.HasPrefix(bytes.TrimSpace(body), []byte(`{"error":"404 Not Found"`))
	return e
}

// notJSON describes an answer that should be JSON and is a sign-in page, or
// something that a proxy made.
func notJSON(resp *http.Response, body []byte) error {
	text, _ := message(resp.Header.Get("Content-Type"), body)
	return &Error{
		Method: resp.Request.Method, URL: redact.URLOf(resp.Request.URL), StatusCode: resp.StatusCode,
		Message: strings.TrimSuffix("the answer is no JSON: "+text, ": "), RequestID: requestID(resp.Header), FromStorage: redirected(resp),
	}
}

// redirected reports whether the answer came from another host than the one
// that was asked.
func redirected(resp *http.Response) bool {
	first := resp.Request
	for first != nil && first.Response != nil && first.Response.Request != nil {
		first = first.Response.Request
	}
	return first != nil && first.URL.Host != resp.Request.URL.Host
}

// requestID is GitLab's, or that of S3, Azure or Google Cloud Storage.
func requestID(h http.Header) string {
	for _, name := range []string{"X-Request-Id", "X-Amz-Request-Id", "X-Ms-Request-Id", "X-Guploader-Uploadid"} {
		if id := h.Get(name); id != "" {
			return id
		}
	}
	return ""
}

// message finds the words in the body. There are five JSON envelopes and four
// kinds of body that are none; the content type tells little, because proxies
// put pages of their own into the way.
func message(contentType string, body []byte) (text string, fromStorage bool) {
	media, _, _ := mime.ParseMediaType(contentType) // malformed is as good as absent
	body = bytes.TrimSpace(body)
	switch {
	case bytes.HasPrefix(body, []byte("{")):
		return oneLine(envelope(body)), false
	case bytes.HasPrefix(body, []byte("<?xml")), strings.HasSuffix(media, "xml") && !strings.Contains(media, "html"):
		return oneLine(storageMessage(body)), true
	case bytes.HasPrefix(body, []byte("<")):
		return oneLine(title(body)), false
	case media == "" || strings.HasPrefix(media, "text/"):
		return oneLine(string(body)), false
	}
	return "", false
}

// envelope reads the JSON shapes:
//
//	{"message": "404 Not Found"}                       most of the API
//	{"message": {"error": "…"}}                        the application's rate limiter
//	{"message": {"field": ["…"]}}                      validation of a record
//	{"error": "job is missing"}                        validation of parameters, unknown route
//	{"error": "invalid_token", "error_description": …} OAuth
func envelope(body []byte) string {
	var e struct {
		Message     json.RawMessage `json:"message"`
		Error       json.RawMessage `json:"error"`
		Description string          `json:"error_description"`
	}
	if json.Unmarshal(body, &e) != nil {
		return ""
	}
	switch {
	case len(e.Message) > 0:
		return words(e.Message)
	case e.Description != "":
		return words(e.Error) + ": " + e.Description
	}
	return words(e.Error)
}

// words flattens a string, a list, or an object of them.
func words(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		parts := make([]string, len(list))
		for i, item := range list {
			parts[i] = words(item)
		}
		return strings.Join(parts, ", ")
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return ""
	}
	parts := make([]string, 0, len(object))
	for name, value := range object {
		if name == "error" {
			parts = append(parts, words(value))
			continue
		}
		parts = append(parts, name+" "+words(value))
	}
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}

// storageMessage reads the error that S3, Google Cloud Storage and Azure share, two
// elements in a row (encoding/xml would be 100 kB of program for them):
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func storageMessage(body []byte) string {
	return strings.TrimPrefix(within(codeElement, body)+": "+within(messageElement, body), ": ")
}

var (
	codeElement    = regexp.MustCompile(`(?s)<Code>(.*?)</Code>`)
	messageElement = regexp.MustCompile(`(?s)<Message>(.*?)</Message>`)
	titleElement   = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)
)

// within is the text of the first such element.
func within(element *regexp.Regexp, body []byte) string {
	if m := element.FindSubmatch(body); m != nil {
		return html.UnescapeString(string(m[1]))
	}
	return ""
}

func title(body []byte) string {
	return strings.TrimSuffix("HTML page: "+within(titleElement, body), ": ")
}

// maxMessage bounds what is repeated of the server's words, in characters.
const maxMessage = 300

func oneLine(text string) string {
	runes := []rune(strings.Join(strings.Fields(redact.Text(text)), " "))
	if len(runes) > maxMessage {
		return string(runes[:maxMessage]) + "…"
	}
	return string(runes)
}
