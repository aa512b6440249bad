package redact

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"
)

// minSecret is the length in bytes below which a value isn't masked. Real tokens are
// longer, and masking every "1" would make a log unreadable.
const minSecret = 4

// minBase64 is the same for Base64 forms. They lose characters at both ends, so those of
// short secrets would match by chance.
const minBase64 = 8

// Secrets masks known values in text. A nil or zero *Secrets masks only credential
// parameters of URLs. Safe for concurrent use.
type Secrets struct {
	replacer *strings.Replacer
}

// New returns a Secrets that knows values. It ignores those that are shorter
// than four bytes after white space around them is trimmed.
func New(values ...string) *Secrets {
	var forms []string
	for _, v := range values {
		if v = strings.TrimSpace(v); len(v) >= minSecret {
			forms = append(forms, formsOf(v)...)
		}
	}
	// The replacer uses the first form that matches. If one secret is the beginning of
	// another, the longer one must come first.
	slices.SortFunc(forms, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	forms = slices.Compact(forms)
	pairs := make([]string, 0, 2*len(forms))
	for _, form := range forms {
		pairs = append(pairs, form, mark)
	}
	return &Secrets{replacer: strings.NewReplacer(pairs...)}
}

// String returns text with every form of every secret replaced by [REDACTED],
// and the values of credential parameters such as X-Amz-Signature too.
func (s *Secrets) String(text string) string {
	if s != nil && s.replacer != nil {
		text = s.replacer.Replace(text)
	}
	return params(text)
}

// Writer returns a writer that redacts what it passes on to w. A secret that is
// split over two calls of Write is not found: one Write must be one event, as
// it is with loggers and with fmt.Fprint. Each call makes at most one to w, and
// returns the number of bytes taken, not of those written.
func (s *Secrets) Writer(w io.Writer) io.Writer {
	return &writer{secrets: s, to: w}
}

type writer struct {
	secrets *Secrets
	to      io.Writer
}

// Write implements [io.Writer].
func (w *writer) Write(p []byte) (int, error) {
	clean := w.secrets.String(string(p))
	n, err := io.WriteString(w.to, clean)
	if err == nil && n < len(clean) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return min(n, len(p)), err
	}
	return len(p), nil
}

// formsOf returns the spellings in which a secret may turn up.
func formsOf(secret string) []string {
	forms := []string{secret, jsonForm(secret, true), jsonForm(secret, false), url.QueryEscape(secret), url.PathEscape(secret)}
	return append(forms, base64Forms(secret)...)
}

func jsonForm(secret string, escapeHTML bool) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(escapeHTML)
	if err := enc.Encode(secret); err != nil {
		return secret
	}
	quoted := strings.TrimSuffix(b.String(), "\n")
	return quoted[1 : len(quoted)-1]
}

// base64Forms returns what is constant in the Base64 form of any text that
// contains secret, such as user:secret of the Basic scheme (RFC 7617). Base64
// turns three bytes into four characters, so that there are three forms,
// depending on how many bytes stand before the secret.
func base64Forms(secret string) []string {
	var forms []string
	for lead := range 3 {
		padded := strings.Repeat("\x00", lead) + secret
		first := (8*lead + 5) / 6 // characters that depend on what stands before
		last := 8 * len(padded) / 6
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			// The characters at both ends depend on the neighbours; what they
			// leave over of the secret is less than one byte.
			if form := enc.EncodeToString([]byte(padded))[first:last]; len(form) >= minBase64 {
				forms = append(forms, form)
			}
		}
	}
	return forms
}
