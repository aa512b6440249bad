package env

import (
	"fmt"
	"net/textproto"
	"slices"
	"strings"

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

// maxHeaders is more than servers accept of all headers together, in bytes.
const maxHeaders = 64 << 10

// ours are the headers that artifetch sets itself, and those that only the connection may
// set.
var ours = []string{
	"Private-Token", "Job-Token", "Host", "Range", "If-Range", "If-None-Match", "Accept", "Accept-Encoding", "User-Agent", "Referer",
	"Content-Type", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Upgrade", "Expect",
}

// headers returns the headers of the file and of the variable. They are credentials: they
// go to no server that nobody has named.
func (s *settings) headers(kind TokenKind, at server) (list []Header, err error) {
	read := func(source, text string) {
		for i, line := range strings.Split(text, "\n") {
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' || err != nil {
				continue
			}
			var h Header
			if h, err = header(source, i+1, line, kind); err == nil && slices.ContainsFunc(list, func(o Header) bool { return o.Name == h.Name }) {
				err = &UsageError{Name: source, Reason: "has " + h.Name + " for the second time", Fix: "leave one of them out"}
			}
			list = append(list, h)
		}
	}
	if s.HeaderFile != "" {
		content, readErr := smallfile.Read(s.HeaderFile, maxHeaders)
		if readErr != nil {
			return nil, &UsageError{Name: headerFileName, Reason: "cannot be read: " + readErr.Error(), Fix: "check the path"}
		}
		read(headerFileName, string(content))
	}
	read(headersName, s.Headers.Reveal())
	if err == nil && len(list) > 0 && !at.named {
		err = &UsageError{
			Name: firstOf(s.HeaderFile, headersName), Reason: "has headers for a gateway, and nothing says in front of which server that is",
			Fix: "use ARTIFETCH_SERVER_URL",
		}
	}
	return list, err
}

// header reads one line. Its errors don't have the value.
func header(source string, number int, line string, kind TokenKind) (Header, error) {
	name, value, found := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	bad := func(what, fix string) (Header, error) {
		return Header{}, &UsageError{Name: source, Reason: fmt.Sprintf("%s in line %d", what, number), Fix: fix}
	}
	switch {
	case !found || name == "" || value == "" || strings.ContainsFunc(name, notInName):
		return bad("has no header", "write one a line, as in CF-Access-Client-Id: VALUE")
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return bad("has control characters", "a header has one line, without control characters")
	}
	if ref, unexpanded := Unexpanded(value); unexpanded {
		return bad("has the literal text "+ref, "write the value itself; artifetch expands no variables")
	}
	if name = textproto.CanonicalMIMEHeaderKey(name); slices.Contains(ours, name) || name == "Authorization" && kind == BearerToken {
		return bad("has "+name+", which artifetch sets itself,", "leave it out; tokens for GitLab come from GITLAB_TOKEN, CI_JOB_TOKEN or ARTIFETCH_TOKEN_FILE")
	}
	return Header{Name: name, Value: NewSecret(value)}, nil
}

// notInName reports whether a header's name can't have a character (RFC 9110 §5.6.2).
func notInName(r rune) bool {
	isAlnum := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !isAlnum && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}
