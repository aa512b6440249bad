package gitlab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// maxDepth limits how deeply the values of a raw job may be nested: indentation
// multiplies its size by that. GitLab's jobs have three levels.
const maxDepth = 16

// keepRaw sets [Job.Raw] of the jobs decoded from body.
func keepRaw(body []byte, v any) error {
	var err error
	switch v := v.(type) {
	case *Job:
		v.Raw, err = plain(body)
	case *[]Job:
		var rows []json.RawMessage
		err = json.Unmarshal(body, &rows)
		for i := 0; i < len(rows) && err == nil; i++ {
			(*v)[i].Raw, err = plain(rows[i])
		}
	}
	return err
}

// plain returns valid JSON without white space between its values, and with strings in a
// canonical form: otherwise a secret with escapes in it, such as \u0061, couldn't be
// found and masked. Everything else stays unchanged, including numbers of any size.
func plain(raw []byte) (json.RawMessage, error) {
	kept := make([]byte, 0, len(raw))
	depth := 0
	for i := 0; i < len(raw); {
		size := 1
		switch raw[i] {
		case '"':
			size = literal(raw[i:])
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ' ', '\t', '\r', '\n':
			i++
			continue
		}
		if depth > maxDepth {
			return nil, fmt.Errorf("a job with more than %d levels of nested values", maxDepth)
		}
		kept = append(kept, respelled(raw[i:i+size])...)
		i += size
	}
	return kept, nil
}

// literal returns the length of the string at the start of raw in bytes, with its quotes.
func literal(raw []byte) int {
	for i := 1; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}

// respelled returns a string in [json.Encoder]'s form, and anything else unchanged.
func respelled(value []byte) []byte {
	if !bytes.ContainsRune(value, '\\') && utf8.Valid(value) {
		return value
	}
	var s string
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if json.Unmarshal(value, &s) != nil || e.Encode(s) != nil {
		return value
	}
	return bytes.TrimSpace(b.Bytes())
}
