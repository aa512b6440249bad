package extract

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// describe says what a body is that is no archive, or "" if that cannot be told.
func describe(head []byte) string {
	text := bytes.ToLower(bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff"))))
	switch {
	case len(text) == 0 && len(head) == 0:
		return "an empty body"
	case bytes.HasPrefix(text, []byte("<!doctype html")), bytes.HasPrefix(text, []byte("<html")):
		return "an HTML page"
	case bytes.HasPrefix(text, []byte("<?xml")), bytes.HasPrefix(text, []byte("<error")):
		return "an XML document"
	case bytes.HasPrefix(text, []byte("{")), bytes.HasPrefix(text, []byte("[")):
		return "a JSON document"
	case isText(head):
		return "text"
	}
	return ""
}

// isText reports whether the head is UTF-8 without control characters. A
// character at its end may be cut off.
func isText(head []byte) bool {
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && n == 1 {
			return len(head) < utf8.UTFMax
		}
		if r < ' ' && !strings.ContainsRune("\t\r\n\f", r) {
			return false
		}
		head = head[n:]
	}
	return true
}

// maxWords is how much of a body is quoted, in bytes.
const maxWords = 80

func firstWords(head []byte) string {
	words := strings.Join(strings.Fields(strings.ToValidUTF8(string(head), "")), " ")
	if len(words) > maxWords {
		return strings.ToValidUTF8(words[:maxWords], "") + "…"
	}
	return words
}
