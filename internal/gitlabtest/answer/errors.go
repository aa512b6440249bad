// Package answer writes GitLab's and object storage's answers: JSON with the
// envelopes of Rails and Grape, errors, and Grape's checks of parameters. A [Reply]
// keeps an answer until it may be sent.
package answer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// The envelopes of lib/api/helpers.rb and lib/api/api.rb. GitLab spells 404 in
// two ways: "404 Not found" if a record is missing, and "404 Not Found" if the
// handler itself says so. An unknown route uses another key.

// Respond writes v as JSON.
func Respond(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if a, ok := w.(*Reply); ok && len(a.extra) > 0 && err == nil {
		body, err = widened(body, a.extra)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// widened adds fields to every object that has an id.
func widened(body []byte, extra map[string]any) ([]byte, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber() // ids are large
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				walk(one)
			}
		case map[string]any:
			for _, one := range v {
				walk(one)
			}
			if _, ok := v["id"]; ok {
				maps.Copy(v, extra)
			}
		}
	}
	walk(v)
	return json.Marshal(v)
}

// Message writes {"message": text}.
func Message(w http.ResponseWriter, status int, text string) {
	Respond(w, status, map[string]string{"message": text})
}

// Text writes plain text.
func Text(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// Page writes an error page of nginx.
func Page(w http.ResponseWriter, status int, title string) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<html>\r\n<head><title>%s</title></head>\r\n<body><center><h1>%s</h1></center><hr><center>nginx</center></body>\r\n</html>\r\n", title, title)
}

// RecordNotFound is the answer if the database has no such record.
func RecordNotFound(w http.ResponseWriter) { Message(w, http.StatusNotFound, "404 Not found") }

// NotFound is the answer of a handler: "404 Project Not Found" for "Project".
func NotFound(w http.ResponseWriter, what string) {
	if what != "" {
		what += " "
	}
	Message(w, http.StatusNotFound, "404 "+what+"Not Found")
}

// NoRoute is the answer to an unknown path.
func NoRoute(w http.ResponseWriter) {
	Respond(w, http.StatusNotFound, map[string]string{"error": "404 Not Found"})
}

// NotAllowed is Grape's answer to a method that the route doesn't have.
func NotAllowed(w http.ResponseWriter) {
	Respond(w, http.StatusMethodNotAllowed, map[string]string{"error": "405 Not Allowed"})
}

// BadRequest is lib/api/helpers.rb's bad_request!.
func BadRequest(w http.ResponseWriter, reason string) {
	if reason != "" {
		reason = " - " + reason
	}
	Message(w, http.StatusBadRequest, "400 Bad request"+reason)
}

// Unauthorized is a 401.
func Unauthorized(w http.ResponseWriter) { Message(w, http.StatusUnauthorized, "401 Unauthorized") }

// Forbidden is a 403 with a reason, which may be empty.
func Forbidden(w http.ResponseWriter, reason string) {
	if reason != "" {
		reason = " - " + reason
	}
	Message(w, http.StatusForbidden, "403 Forbidden"+reason)
}

// Invalid is Grape's answer to invalid parameters.
func Invalid(w http.ResponseWriter, text string) {
	Respond(w, http.StatusBadRequest, map[string]string{"error": text})
}

// StorageError is an error of S3.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func StorageError(w http.ResponseWriter, status int, code, text string) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("X-Amz-Request-Id", "4442587FB7D0A2F9")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message></Error>", code, text)
}

// The three shapes of 429.

// RackHeaders are the numbers of Rack::Attack's answer (lib/gitlab/rack_attack.rb).
type RackHeaders struct {
	After, Name     string
	Limit, Observed int
	Reset           time.Time
}

// TooManyByRack is a 429 of Rack::Attack.
func TooManyByRack(w http.ResponseWriter, n RackHeaders) {
	h := w.Header()
	h.Set("Retry-After", n.After)
	h.Set("RateLimit-Name", n.Name)
	h.Set("RateLimit-Limit", strconv.Itoa(n.Limit))
	h.Set("RateLimit-Observed", strconv.Itoa(n.Observed))
	h.Set("RateLimit-Remaining", "0")
	h.Set("RateLimit-Reset", strconv.FormatInt(n.Reset.Unix(), 10))
	h.Set("RateLimit-ResetTime", n.Reset.UTC().Format(http.TimeFormat))
	Text(w, http.StatusTooManyRequests, "Retry later\n")
}

// TooManyByApp is a 429 of the application (lib/api/helpers/rate_limiter.rb). It has no
// Retry-After.
func TooManyByApp(w http.ResponseWriter) {
	Respond(w, http.StatusTooManyRequests, map[string]any{"message": map[string]string{
		"error": "This endpoint has been requested too many times. Try again later.",
	}})
}

// TooManyByWorkhorse is a 429 of workhorse/internal/circuitbreaker. GitLab uses it only
// for its internal API; gateways have copied it for the public one.
func TooManyByWorkhorse(w http.ResponseWriter, after string) {
	w.Header().Set("Retry-After", after)
	Text(w, http.StatusTooManyRequests, "This endpoint has been requested too many times. Try again later.\n")
}

// OrEmpty returns rows, or an empty list, so that JSON has [] rather than null.
func OrEmpty[T any](rows []T) []T {
	if rows == nil {
		return []T{}
	}
	return rows
}

// OrNull returns s, or nil if it's empty: null in JSON.
func OrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
