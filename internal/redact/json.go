package redact

import (
	"bytes"
	"encoding/json"
)

// JSON is [Secrets.String] for well-formed JSON, which stays well-formed: it masks only
// within strings. A secret that is a number, such as 1234, isn't one there.
func (s *Secrets) JSON(text []byte) []byte {
	var b []byte // nil until something must change
	kept := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '"' {
			continue
		}
		end := i + literal(text[i:])
		if clean, changed := s.literal(text[i:end]); changed {
			b = append(append(b, text[kept:i]...), clean...)
			kept = end
		}
		i = end - 1
	}
	if kept == 0 {
		return text
	}
	return append(b, text[kept:]...)
}

// literal returns how long the string at the start of text is, with its quotes.
func literal(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// literal masks one string, and reports whether that changes it. A secret may begin or end
// in the middle of an escape, so a string with escapes is decoded first.
func (s *Secrets) literal(quoted []byte) ([]byte, bool) {
	var text string
	if !bytes.ContainsRune(quoted, '\\') {
		text = string(quoted[1:max(len(quoted)-1, 1)])
	} else if json.Unmarshal(quoted, &text) != nil {
		return quoted, false // not JSON
	}
	clean := s.String(text)
	if clean == text {
		return quoted, false
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(clean) != nil { // strings can always be encoded
		return quoted, false
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), true
}
