package manifest

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

// tabbed finds indentations that have a tab, which JSON may have.
var tabbed = regexp.MustCompile(`(?m)^[ \t]*\t`)

// syntax returns the parser's error with its line.
func (r *reader) syntax(text []byte, err error) error {
	e := &Error{File: r.file, What: strings.TrimPrefix(err.Error(), "yaml: "), Fix: "it isn't valid YAML: check the indentation, and quote values that contain : or #, or begin with @, * or another sign; backslashes need single quotes"}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		_, _ = fmt.Sscan(m[1], &e.Line) // digits
		e.Column, e.What = 1, strings.TrimPrefix(err.Error(), m[0])
	}
	tabs(text, err, e)
	return e
}

// tabs rewrites a parser's error that spaces in place of tabs avoid.
func tabs(text []byte, err error, e *Error) {
	spaces := tabbed.ReplaceAllFunc(text, func(tabs []byte) []byte { return bytes.Repeat([]byte(" "), len(tabs)) })
	if again := yaml.Unmarshal(spaces, new(yaml.Node)); again != nil && again.Error() == err.Error() || bytes.Equal(spaces, text) {
		return
	}
	e.What, e.Fix = "the line is indented with a tab", "YAML allows only spaces there: replace each tab by two spaces"
	for i, line := range bytes.Split(text, []byte("\n")) {
		if i >= e.Line-1 && tabbed.Match(line) {
			e.Line, e.Column = i+1, 1
			return
		}
	}
}
