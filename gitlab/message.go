package gitlab

import (
	"bytes"
	"encoding/json"
	"html"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

// message finds the text in a body. There are five JSON envelopes and four kinds of other
// bodies. The content type isn't reliable, because proxies answer with their own pages.
func message(resp *http.Response, body []byte) (text string, fromStorage bool) {
	text, fromStorage = inBody(resp.Header.Get("Content-Type"), body)
	return oneLine(redact.Said(resp, text)), fromStorage
}

func inBody(contentType string, body []byte) (text string, fromStorage bool) {
	media, _, _ := mime.ParseMediaType(contentType) // a malformed one counts as missing
	body = bytes.TrimSpace(body)
	switch {
	case bytes.HasPrefix(body, []byte("{")):
		return envelope(body), false
	case bytes.HasPrefix(body, []byte("<?xml")), bytes.HasPrefix(body, []byte("<Error")), strings.HasSuffix(media, "xml") && !strings.Contains(media, "html"):
		return storageMessage(body), true
	case bytes.HasPrefix(body, []byte("<")):
		return title(body), false
	case media == "" || strings.HasPrefix(media, "text/"):
		return string(body), false
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
// consecutive elements (encoding/xml would add 100 kB to the program):
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func storageMessage(body []byte) string {
	return strings.TrimPrefix(within(codeElement, body)+": "+within(messageElement, body), ": ")
}

var (
	codeElement    = regexp.MustCompile(`(?s)<Code>(.*?)</Code>`)
	messageElement = regexp.MustCompile(`(?s)<Message>(.*?)</Message>`)
	titleElement   = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)
)

// within returns the text of the first such element.
func within(element *regexp.Regexp, body []byte) string {
	if m := element.FindSubmatch(body); m != nil {
		return html.UnescapeString(string(m[1]))
	}
	return ""
}

// htmlPage is the beginning of the message about an HTML page.
const htmlPage = "HTML page"

func title(body []byte) string {
	return strings.TrimSuffix(htmlPage+": "+within(titleElement, body), ": ")
}

// maxMessage limits how much of the server's text is printed, in characters.
const maxMessage = 300

func oneLine(text string) string {
	runes := []rune(strings.Join(strings.Fields(redact.Text(text)), " "))
	if len(runes) > maxMessage {
		return string(runes[:maxMessage]) + "…"
	}
	return string(runes)
}
