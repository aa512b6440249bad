package resolve

import (
	"regexp"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/similar"
)

// isGlob reports whether a job's name is a pattern. Brackets are no part of one:
// jobs of a matrix have them in their names.
func isGlob(name string) bool { return strings.ContainsAny(name, "*?{") }

// NameMatcher tells whether a job's name is name, or fits it if it is a glob: *
// is anything, ? is one character, {a,b} is either.
func NameMatcher(name string) func(string) bool { return compile(name).MatchString }

// compile makes a regular expression of a name or pattern: * is anything, also
// slashes, because "test 1/3" is a name; ? is one character; {a,b} is either.
func compile(name string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(name)
	if isGlob(name) {
		quoted = replaceGlob(quoted)
	}
	re, err := regexp.Compile("^(?s:" + quoted + ")$")
	if err != nil { // braces that are not closed are meant as they are
		return regexp.MustCompile("^(?s:" + regexp.QuoteMeta(name) + ")$")
	}
	return re
}

// replaceGlob replaces what stands for something else. A comma does so between
// braces alone.
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

// near returns the names that are most like name.
func near(name string, names []string) []string { return similar.Names(name, names, maxNear) }
