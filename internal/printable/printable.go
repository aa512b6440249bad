// Package printable decides which characters may be printed. Names come from archives
// and servers, so anyone may have chosen them. Terminals obey control characters
// (ECMA-48), and a bidirectional override makes one name look like another
// (CVE-2021-42574, "Trojan Source").
package printable

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Hidden reports whether r must not be printed or be part of a file name. That is so
// for control characters (C0, DEL, C1), line and paragraph separators, and characters
// that change the text direction (Unicode Standard Annex #9).
func Hidden(r rune) bool {
	switch {
	case r < ' ', 0x7f <= r && r <= 0x9f: // C0; DEL and C1
	case r == 0x2028, r == 0x2029: // separators of lines and paragraphs
	case r == 0x061c, r == 0x200e, r == 0x200f: // marks
	case 0x202a <= r && r <= 0x202e: // embeddings and overrides
	case 0x2066 <= r && r <= 0x2069: // isolates
	default:
		return false
	}
	return true
}

// HasHidden reports whether text contains a [Hidden] character.
func HasHidden(text string) bool { return strings.ContainsFunc(text, Hidden) }

// Text escapes hidden characters, as in \u001b, and bytes that aren't UTF-8, as in
// \xff.
func Text(text string) string {
	if utf8.ValidString(text) && !HasHidden(text) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && n == 1:
			_, _ = fmt.Fprintf(&b, `\x%02x`, text[0])
		case Hidden(r):
			_, _ = fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(text[:n])
		}
		text = text[n:]
	}
	return b.String()
}

// JSON escapes the hidden characters in well-formed JSON. Outside of strings, there
// can only be line breaks and tabs, which it keeps (RFC 8259 §2, §7).
func JSON(text []byte) []byte {
	var b []byte // nil until something must change
	kept := 0
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if Hidden(r) && r != '\n' && r != '\r' && r != '\t' {
			b = fmt.Appendf(append(b, text[kept:i]...), `\u%04x`, r)
			kept = i + n
		}
		i += n
	}
	if kept == 0 {
		return text
	}
	return append(b, text[kept:]...)
}
