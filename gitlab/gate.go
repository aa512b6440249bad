package gitlab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

// maxErrorBody limits how much of an error's body is read, in bytes.
const maxErrorBody = 64 << 10

// CheckResponse returns nil for a success (2xx), else an [*Error] with the message in the
// body. It reads the body of errors and doesn't close it.
func CheckResponse(resp *http.Response) error {
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}
	return newError(resp)
}

// checkSuccess only accepts those successes that GitLab's API uses (lib/api). Others,
// such as 202 with other JSON, come from a server in between.
func checkSuccess(resp *http.Response) error {
	if err := CheckResponse(resp); err != nil {
		return err
	}
	expected := []int{http.StatusOK, http.StatusCreated} // for actions on jobs
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

// checkPlain is checkSuccess for answers other than JSON, which may be sign-in pages.
func checkPlain(resp *http.Response) error {
	if err := checkSuccess(resp); err != nil {
		return err
	}
	if media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); media != "text/html" { // a malformed one counts as missing
		return nil
	}
	_ = resp.Body.Close() // it may be long
	resp.Body = http.NoBody
	e := newError(resp)
	e.Message = "that is an HTML page, such as a sign-in page"
	return e
}

// newError returns the error for an answer.
func newError(resp *http.Response) *Error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // a partial body is better than none
	e := &Error{StatusCode: resp.StatusCode, RequestID: requestID(resp)}
	if resp.Request != nil {
		e.Method, e.URL = resp.Request.Method, redact.URLOf(resp.Request.URL)
	}
	e.Message, e.FromStorage = message(resp, body)
	e.FromStorage = e.FromStorage || redirected(resp)
	if e.StatusCode == http.StatusForbidden && !e.FromStorage {
		e.Lack = lackOf(body)
	}
	e.routeMissing = bytes.HasPrefix(bytes.TrimSpace(body), []byte(`{"error":"404 Not Found"`))
	return e
}

// notJSON returns the error for an answer that should be JSON, but is a sign-in page or a
// proxy's page.
func (a answer) notJSON() error {
	text, _ := message(a.Response, a.body)
	return a.unusable(strings.TrimSuffix("the answer isn't JSON: "+text, ": "))
}

// undecodable returns the error for an answer that can't be decoded because of err.
func (a answer) undecodable(err error) error {
	if len(a.body) == maxBody {
		return a.unusable(fmt.Sprintf("the answer is larger than %d MiB", maxBody>>20))
	}
	if !json.Valid(a.body) {
		return a.notJSON()
	}
	what := "the answer is JSON, but not what GitLab sends"
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		what += strings.TrimSuffix(fmt.Sprintf(": unexpected %s in %s", e.Value, e.Field), " in ")
	} else if field := notTime(a.body); field != "" {
		what += ": " + field + " isn't a time"
	}
	return a.unusable(what)
}

// notTime returns the field of a JSON text that should be a time and isn't, or "".
// Package json's error about a time doesn't say which field it is.
func notTime(body []byte) string {
	var v any
	_ = json.Unmarshal(body, &v) // it is valid
	return timeless(v)
}

func timeless(v any) string {
	switch v := v.(type) {
	case []any:
		for _, row := range v {
			if field := timeless(row); field != "" {
				return field
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			text, _ := v[name].(string)
			_, err := time.Parse(time.RFC3339, text)
			if strings.HasSuffix(name, "_at") && v[name] != nil && err != nil {
				return name
			}
			if field := timeless(v[name]); field != "" {
				return name + "." + field
			}
		}
	}
	return ""
}

// identified reports whether jobs, pipelines, merge requests and the parents of commits
// in an answer have IDs that requests can use. A job's pipeline may be missing.
func identified(v any) bool {
	switch v := v.(type) {
	case *Job:
		return v.ID > 0 && v.Pipeline.ID >= 0
	case *Pipeline:
		return v.ID > 0
	case *MergeRequest:
		return v.IID > 0
	case *Commit:
		return !slices.ContainsFunc(v.ParentIDs, func(parent string) bool { return !isSHA(parent) })
	case *Bridge:
		return v.ID > 0 && v.Pipeline.ID >= 0 && (v.DownstreamPipeline == nil || v.DownstreamPipeline.ID > 0)
	case *[]Job:
		return eachIdentified(*v)
	case *[]Pipeline:
		return eachIdentified(*v)
	case *[]Bridge:
		return eachIdentified(*v)
	}
	return true
}

// isSHA reports whether text is a commit's full SHA-1 or SHA-256.
func isSHA(text string) bool {
	return (len(text) == 40 || len(text) == 64) && strings.Trim(text, "0123456789abcdef") == ""
}

func eachIdentified[T any](rows []T) bool {
	for i := range rows {
		if !identified(&rows[i]) {
			return false
		}
	}
	return true
}

// unusable returns the error for a success that can't be used.
func (a answer) unusable(what string) error {
	return &Error{
		Method: a.Request.Method, URL: redact.URLOf(a.Request.URL), StatusCode: a.StatusCode,
		Message: what, RequestID: requestID(a.Response), FromStorage: redirected(a.Response),
	}
}

// redirected reports whether the request was redirected to another host.
func redirected(resp *http.Response) bool {
	first := resp.Request
	for first != nil && first.Response != nil && first.Response.Request != nil {
		first = first.Response.Request
	}
	return first != nil && first.URL.Host != resp.Request.URL.Host
}

// requestID returns the ID from GitLab, S3, Azure or Google Cloud Storage.
func requestID(resp *http.Response) string {
	for _, name := range []string{"X-Request-Id", "X-Amz-Request-Id", "X-Ms-Request-Id", "X-Guploader-Uploadid"} {
		if id := resp.Header.Get(name); id != "" {
			return redact.Said(resp, id)
		}
	}
	return ""
}
