package gitlabtest

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
// two ways: "404 Not found" where a record was looked up and is missing, "404
// Not Found" where the handler says so itself; and an unknown route has another
// key.

func respond(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if a, ok := w.(*reply); ok && len(a.extra) > 0 && err == nil {
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

func message(w http.ResponseWriter, status int, text string) {
	respond(w, status, map[string]string{"message": text})
}

func text(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func page(w http.ResponseWriter, status int, title string) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<html>\r\n<head><title>%s</title></head>\r\n<body><center><h1>%s</h1></center><hr><center>nginx</center></body>\r\n</html>\r\n", title, title)
}

func recordNotFound(w http.ResponseWriter) { message(w, http.StatusNotFound, "404 Not found") }

func notFound(w http.ResponseWriter, what string) {
	if what != "" {
		what += " "
	}
	message(w, http.StatusNotFound, "404 "+what+"Not Found")
}

func noRoute(w http.ResponseWriter) {
	respond(w, http.StatusNotFound, map[string]string{"error": "404 Not Found"})
}

// notAllowed is Grape's answer to a verb that a route does not have.
func notAllowed(w http.ResponseWriter) {
	respond(w, http.StatusMethodNotAllowed, map[string]string{"error": "405 Not Allowed"})
}

// badRequest is lib/api/helpers.rb's bad_request!.
func badRequest(w http.ResponseWriter, reason string) {
	if reason != "" {
		reason = " - " + reason
	}
	message(w, http.StatusBadRequest, "400 Bad request"+reason)
}

func unauthorized(w http.ResponseWriter) { message(w, http.StatusUnauthorized, "401 Unauthorized") }

func forbidden(w http.ResponseWriter, reason string) {
	if reason != "" {
		reason = " - " + reason
	}
	message(w, http.StatusForbidden, "403 Forbidden"+reason)
}

// invalid is Grape's answer to parameters that do not validate.
func invalid(w http.ResponseWriter, text string) {
	respond(w, http.StatusBadRequest, map[string]string{"error": text})
}

// storageError is S3's.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func storageError(w http.ResponseWriter, status int, code, text string) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("X-Amz-Request-Id", "4442587FB7D0A2F9")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message></Error>", code, text)
}

// The three shapes of 429.

// rackHeaders are the numbers of Rack::Attack's answer (lib/gitlab/rack_attack.rb).
type rackHeaders struct {
	after, name     string
	limit, observed int
	reset           time.Time
}

func tooManyByRack(w http.ResponseWriter, n rackHeaders) {
	h := w.Header()
	h.Set("Retry-After", n.after)
	h.Set("RateLimit-Name", n.name)
	h.Set("RateLimit-Limit", strconv.Itoa(n.limit))
	h.Set("RateLimit-Observed", strconv.Itoa(n.observed))
	h.Set("RateLimit-Remaining", "0")
	h.Set("RateLimit-Reset", strconv.FormatInt(n.reset.Unix(), 10))
	h.Set("RateLimit-ResetTime", n.reset.UTC().Format(http.TimeFormat))
	text(w, http.StatusTooManyRequests, "Retry later\n")
}

// tooManyByApp is lib/api/helpers/rate_limiter.rb's, without Retry-After.
func tooManyByApp(w http.ResponseWriter) {
	respond(w, http.StatusTooManyRequests, map[string]any{"message": map[string]string{
		"error": "This endpoint has been requested too many times. Try again later.",
	}})
}

// tooManyByWorkhorse is workhorse/internal/circuitbreaker's. GitLab has it on its
// internal API alone; gateways that copy it have it elsewhere.
func tooManyByWorkhorse(w http.ResponseWriter, after string) {
	w.Header().Set("Retry-After", after)
	text(w, http.StatusTooManyRequests, "This endpoint has been requested too many times. Try again later.\n")
}
