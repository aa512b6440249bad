package env

import (
	"context"
	"fmt"
	"net/textproto"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/redact"
	"gitlab.com/artifetch/artifetch/internal/smallfile"
)

// Header is a header for a gateway in front of GitLab.
type Header struct {
	Name  string // in its canonical form
	Value Secret
}

// The variables with headers: one of them names a file.
const (
	headersName    = "ARTIFETCH_HEADERS"
	headerFileName = "ARTIFETCH_HEADER_FILE"
)

// maxHeaders is more than servers accept for all headers together, in bytes.
const maxHeaders = 64 << 10

// tokens are the headers in which GitLab reads credentials.
// https://docs.gitlab.com/api/rest/authentication/
var tokens = []string{"Private-Token", "Job-Token", "Deploy-Token", "X-Gitlab-Static-Object-Token"}

// others are headers that change a request's meaning: another user, another method.
var others = []string{"Sudo", "X-Http-Method-Override"}

// ours are the headers that artifetch sets itself, and those that only the connection may
// set.
var ours = []string{
	"Host", "Range", "If-Range", "If-None-Match", "Accept", "Accept-Encoding", "User-Agent", "Referer",
	"Content-Type", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Upgrade", "Expect",
}

// OtherSecrets returns what messages mustn't contain besides the token: the passwords of
// proxies, and the values of headers, with and without their scheme, such as Bearer. It
// omits values that aren't secrets, and parts of the server's address.
func (c Config) OtherSecrets() []string {
	var secrets []string
	for _, password := range c.ProxyPasswords {
		secrets = append(secrets, password.Reveal())
	}
	for _, h := range c.Headers {
		secrets = append(secrets, redact.Header(h.Name, h.Value.Reveal(), c.APIURL.String())...)
	}
	return secrets
}

// headers returns the headers from the file and the variable. They are credentials: they
// only go to a server that a variable or flag names.
func (s *settings) headers(ctx context.Context, kind TokenKind, at server) ([]Header, error) {
	list, err := s.headersInFile(ctx, kind)
	if err == nil {
		list, err = addHeaders(list, headersName, s.Headers.Reveal(), kind)
	}
	if err == nil && len(list) > 0 && !at.named {
		err = &UsageError{
			Name: firstOf(s.HeaderFile, headersName), Reason: "has headers for a gateway, but no server is named",
			Fix: "use ARTIFETCH_SERVER_URL",
		}
	}
	return list, err
}

func (s *settings) headersInFile(ctx context.Context, kind TokenKind) ([]Header, error) {
	if s.HeaderFile == "" {
		return nil, nil
	}
	content, err := smallfile.Read(ctx, s.HeaderFile, maxHeaders)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, &UsageError{Name: headerFileName, Reason: "cannot be read: " + err.Error(), Fix: "check the path"}
	}
	list, err := addHeaders(nil, headerFileName, string(content), kind)
	if err == nil && len(list) == 0 {
		err = &UsageError{Name: headerFileName, Reason: "has no header", Fix: "write one per line, as in CF-Access-Client-Id: VALUE"}
	}
	return list, err
}

// addHeaders adds those in a text to a list. The text has a header per line, empty lines,
// and comments.
func addHeaders(list []Header, source, text string, kind TokenKind) ([]Header, error) {
	text = strings.TrimPrefix(text, "\ufeff") // from editors on Windows
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		h, err := header(source, i+1, line, kind)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(list, func(o Header) bool { return o.Name == h.Name }) {
			return nil, &UsageError{Name: source, Reason: "has " + h.Name + " for the second time", Fix: "leave one of them out"}
		}
		list = append(list, h)
	}
	return list, nil
}

// header parses one line. Its errors don't contain the value.
func header(source string, number int, line string, kind TokenKind) (Header, error) {
	name, value, found := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	bad := func(what, fix string) (Header, error) {
		return Header{}, &UsageError{Name: source, Reason: fmt.Sprintf("%s in line %d", what, number), Fix: fix}
	}
	switch {
	case !found || name == "" || strings.ContainsFunc(name, notInName):
		return bad("has no header", "write one per line, as in CF-Access-Client-Id: VALUE")
	case value == "":
		return bad("has a header without a value", "write the value behind the colon")
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return bad("has control characters", "a header has one line, without control characters")
	}
	if ref, unexpanded := Unexpanded(value); unexpanded {
		return bad("has the literal text "+ref, "write the value itself; artifetch expands no variables")
	}
	name = textproto.CanonicalMIMEHeaderKey(name)
	if what, fix := reserved(name, kind); what != "" {
		return bad("has "+name+", "+what+",", fix)
	}
	return Header{Name: name, Value: NewSecret(value)}, nil
}

// reserved says why users can't set a header, and what to do instead.
func reserved(name string, kind TokenKind) (what, fix string) {
	// Behind a proxy that lets underscores through, GitLab reads them as hyphens.
	switch read := textproto.CanonicalMIMEHeaderKey(strings.ReplaceAll(name, "_", "-")); {
	case slices.Contains(tokens, read):
		return "in which GitLab reads a token", "leave it out; tokens for GitLab come from GITLAB_TOKEN, CI_JOB_TOKEN or ARTIFETCH_TOKEN_FILE"
	case read == "Authorization" && kind == BearerToken:
		return "in which artifetch sends its token", "leave it out, or use a token of another type"
	case slices.Contains(others, read):
		return "which changes what a request means to GitLab", "leave it out"
	case slices.Contains(ours, read):
		return "which artifetch sets itself", "leave it out"
	}
	return "", ""
}

// notInName reports whether a header's name can't contain a character (RFC 9110 §5.6.2).
func notInName(r rune) bool {
	isAlnum := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !isAlnum && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}
