package failure

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/transport"
)

// Text formats an error on one line, in plain words rather than Go's, without
// credentials.
func Text(err error) string {
	said := FirstLine(transport.Words(err))
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		where := e.Path
		if ofOutput(err) {
			where = "to standard output"
		}
		said = strings.Replace(said, FirstLine(e.Error()), "cannot "+operation(e.Op)+" "+FirstLine(where)+": "+e.Err.Error(), 1)
	}
	return said
}

// ofOutput reports whether err is about writing to standard output.
func ofOutput(err error) bool {
	e, ok := errors.AsType[*fs.PathError](err)
	return ok && e.Path == os.Stdout.Name()
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
