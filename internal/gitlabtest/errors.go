package gitlabtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// The envelopes of lib/api/helpers.rb and lib/api/api.rb. GitLab spells 404 in
// two ways: "404 Not found" where a record was looked up and is missing, "404
// Not Found" where the handler says so itself; and an unknown route has another
// key.

func respond(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
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
