package resolve

import (
	"regexp"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/similar"
)

// isGlob reports whether a job's name is a glob. Brackets don't make it one: matrix jobs
// have them in their names.
func isGlob(name string) bool { return strings.ContainsAny(name, "*?{") }

// NameMatcher returns a function that compares a job's name with name, or matches it if
// that is a glob: * is anything, ? is one character, {a,b} is either.
func NameMatcher(name string) func(string) bool { return compile(name).MatchString }

// compile turns a name or glob into a regular expression: * is anything, including
// slashes, because "test 1/3" is a name; ? is one character; {a,b} is either.
func compile(name string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(name)
	if isGlob(name) {
		quoted = replaceGlob(quoted)
	}
	re, err := regexp.Compile("^(?s:" + quoted + ")$")
	if err != nil { // unclosed braces are part of the name
		return regexp.MustCompile("^(?s:" + regexp.QuoteMeta(name) + ")$")
	}
	return re
}

// replaceGlob replaces the special characters of a glob. A comma is special only
// between braces.
func replaceGlob(quoted string) string {
	anywhere := strings.NewReplacer(`\*`, ".*", `\?`, ".")
	inBraces := strings.NewReplacer(`\*`, ".*", `\?`, ".", `\{`, "(?:", `\}`, ")", ",", "|")
	var out strings.Builder
	for {
		before, rest, opened := strings.Cut(quoted, `\{`)
		inside, after, closed := strings.Cut(rest, `\}`)
		if !opened || !closed {
			out.WriteString(anywhere.Replace(quoted))
			return out.String()
		}
		out.WriteString(anywhere.Replace(before))
		out.WriteString(inBraces.Replace(`\{` + inside + `\}`))
		quoted = after
	}
}

// maxNear is how many names a message suggests.
const maxNear = 3

// near returns the most similar names. None is like a number, which is rather an ID.
func near(name string, names []string) []string {
	if strings.Trim(name, "0123456789") == "" {
		return nil
	}
	return similar.Names(name, names, maxNear)
}
