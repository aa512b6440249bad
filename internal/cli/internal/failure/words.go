package failure

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"regexp"
	"strings"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/redact"
)

// text formats an error on one line, in plain words rather than Go's, without
// credentials.
func text(err error) string {
	said := FirstLine(redact.Error(err).Error())
	if e, ok := errors.AsType[*net.OpError](err); ok {
		said = strings.Replace(said, FirstLine(e.Error()), connection(e), 1)
	}
	said = request.ReplaceAllStringFunc(said, func(s string) string {
		m := request.FindStringSubmatch(s)
		address, _, _ := strings.Cut(m[2], "?") // -v shows it in full
		return strings.ToUpper(m[1]) + " " + address + ": "
	})
	if e, ok := errors.AsType[*fs.PathError](err); ok && strings.HasPrefix(said, e.Op+" ") {
		said = "cannot " + operation(e.Op) + strings.TrimPrefix(said, e.Op)
	}
	return said
}

// request matches the start of a [url.Error].
var request = regexp.MustCompile(`\b(Get|Head|Post|Put|Delete) "(https?://[^" ]+)": `)

// connection explains a connection's error. Go's text names both ends and the system
// call.
func connection(e *net.OpError) string {
	why := e.Err
	if system, ok := errors.AsType[*os.SyscallError](why); ok {
		why = system.Err
	}
	name, known := errors.AsType[*net.DNSError](e.Err)
	switch {
	case known:
		return "cannot look up " + name.Name + ": " + name.Err
	case e.Op == "dial" && e.Addr != nil:
		return "cannot connect to " + e.Addr.String() + ": " + why.Error()
	}
	return why.Error()
}

// operation returns a verb for the operation of a [fs.PathError].
func operation(op string) string {
	switch op = strings.TrimSuffix(op, "at"); op {
	case "lst", "st", "fst":
		return "look at"
	case "unlink":
		return "remove"
	case "mkdir":
		return "create"
	}
	return op
}

// clauses splits a text at semicolons, except in quotes and parentheses.
func clauses(text string) (list []string) {
	start, depth, quoted := 0, 0, false
	for i, r := range text {
		switch {
		case r == '"' && (i == 0 || text[i-1] != '\\'):
			quoted = !quoted
		case quoted:
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == ';' && depth <= 0 && strings.HasPrefix(text[i:], "; "):
			list, start = append(list, text[start:i]), i+len("; ")
		}
	}
	return append(list, text[start:])
}

// evidence takes the refused request out of a text, which then only contains the reason.
// It returns lines: that request, and the ID that an administrator can search for.
func evidence(said string, err error) (what string, lines []string) {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	if !ok {
		return said, nil
	}
	made := refusal.Method + " " + FirstLine(refusal.URL)
	if before, after, found := strings.Cut(said, " to "+made); found {
		said, lines = before+after, []string{made}
	}
	if id := RequestID(err); id != "" && !strings.Contains(said, id) {
		lines = append(lines, "request id: "+id)
	}
	return said, lines
}
