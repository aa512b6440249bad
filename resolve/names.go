package resolve

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
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

// near returns the names that are most like name, at most three.
func near(name string, names []string) []string {
	type distant struct {
		name     string
		distance int
	}
	var close []distant
	for _, other := range slices.Compact(slices.Sorted(slices.Values(names))) {
		if d := distance(strings.ToLower(name), strings.ToLower(other)); d <= max(2, len(name)/3) || d > 0 && partOf(name, other) {
			close = append(close, distant{other, d})
		}
	}
	slices.SortStableFunc(close, func(a, b distant) int { return cmp.Compare(a.distance, b.distance) })
	var best []string
	for _, d := range close[:min(len(close), 3)] {
		best = append(best, d.name)
	}
	return best
}

// partOf reports whether other is name with something added, as the names of
// parallel jobs are: "test 1/3", "build: [linux]".
func partOf(name, other string) bool {
	return len(name) > 1 && strings.HasPrefix(strings.ToLower(other), strings.ToLower(name))
}

// distance is the Levenshtein distance between two names.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			change := diagonal
			if x[i] != y[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(y)]
}
