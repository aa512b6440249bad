package extract

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// pattern selects by name. GitLab Runner matches artifacts:paths with the same library,
// so that people know what its globs mean.
type pattern struct {
	text string // as the user wrote it
	glob string // without "./" at its beginning and slashes at its end
	meta bool
	used bool
}

func newPatterns(texts []string) ([]*pattern, error) {
	patterns := make([]*pattern, len(texts))
	for i, text := range texts {
		glob := strings.TrimRight(strings.TrimPrefix(text, "./"), "/")
		if glob == "" {
			glob = "."
		}
		if !doublestar.ValidatePattern(glob) {
			return nil, &PatternError{text}
		}
		patterns[i] = &pattern{text: text, glob: glob, meta: strings.ContainsAny(glob, `*?[{\`)}
	}
	return patterns, nil
}

// CheckPatterns returns a [PatternError] for the first malformed glob.
func CheckPatterns(globs []string) error {
	_, err := newPatterns(globs)
	return err
}

// PatternError reports a glob that is malformed.
type PatternError struct{ Pattern string }

// Error implements error.
func (e *PatternError) Error() string { return fmt.Sprintf("malformed glob %q", e.Pattern) }

// Hint says what to do next.
func (*PatternError) Hint() string {
	return `brackets and braces must be closed; a backslash takes the meaning from the next character: \[`
}

// matches reports whether the pattern selects path itself or a directory above.
func (p *pattern) matches(path string) bool {
	switch {
	case p.glob == ".":
		return true
	case !p.meta:
		return path == p.glob || strings.HasPrefix(path, p.glob) && path[len(p.glob)] == '/'
	}
	return doublestar.MatchUnvalidated(p.glob, path) || doublestar.MatchUnvalidated(p.glob+"/**", path)
}

// selectEntries returns the entries that o selects, with their destinations. A pattern
// may match the name in the archive or the destination. A [*NoMatchError] comes with what
// the other patterns select.
func selectEntries(entries []*entry, o Selection) ([]*entry, error) {
	include, err := newPatterns(o.Include)
	if err != nil {
		return nil, err
	}
	exclude, err := newPatterns(o.Exclude)
	if err != nil {
		return nil, err
	}
	var selected []*entry
	for _, e := range entries {
		if o.selects(e, include, exclude) {
			selected = append(selected, e)
		}
	}
	if unused := unusedPatterns(include); len(unused) > 0 {
		return selected, near(unused[0], entries).noMatch(unused...)
	}
	return selected, nil
}

// selects reports whether o selects an entry, and sets its destination.
func (o Selection) selects(e *entry, include, exclude []*pattern) bool {
	if e.path == "" || e.IsDir() && (o.Flat || strings.Count(e.path, "/") < o.StripComponents) {
		return false
	}
	placed := names.Strip(e.path, o.StripComponents, o.Flat)
	wanted := anyMatch(include, e.path, placed) || len(include) == 0
	if !wanted || anyMatch(exclude, e.path, placed) {
		return false
	}
	e.dest = names.Join(o.Prefix, placed)
	return true
}

// renames reports whether two paths could become one.
func (o Selection) renames() bool { return o.StripComponents > 0 || o.Flat }

// anyMatch reports whether a pattern matches. It marks all that do, so that an error
// can name the others.
func anyMatch(patterns []*pattern, names ...string) bool {
	any := false
	for _, p := range patterns {
		if slices.ContainsFunc(names, p.matches) {
			p.used, any = true, true
		}
	}
	return any
}

func unusedPatterns(patterns []*pattern) []string {
	var unused []string
	for _, p := range patterns {
		if !p.used {
			unused = append(unused, p.text)
		}
	}
	return unused
}

// maxNear is how many names a hint lists.
const maxNear = 3

// maxTop is how many names at the top of an archive a hint lists.
const maxTop = 8

// nearby collects names that look like a pattern: they contain its last part, ignoring
// case. It also collects the names at the top of the archive, for a hint without any.
type nearby struct {
	want  string
	slips []*pattern // what the pattern may have been meant to be; used if it matches
	names []string
	top   []string
}

func newNearby(text string) *nearby {
	n := &nearby{want: strings.ToLower(names.Base(strings.Trim(text, "/*")))}
	n.slips, _ = newPatterns(slips(text)) // without proposals if one is malformed
	return n
}

// around is what shells, editors and copied text leave around a pattern.
const around = " \t\"'“”‘’"

// slips returns what a pattern may have been meant to be: without what is around it or a
// leading slash, with slashes for backslashes, or as a name rather than a glob. Commas
// separate names in other programs.
func slips(text string) (meant []string) {
	plain := strings.TrimLeft(strings.Trim(text, around), "/")
	for _, other := range []string{plain, strings.ReplaceAll(plain, `\`, ""), strings.ReplaceAll(plain, `\`, "/"), Literal(text)} {
		if other != text && other != "" && !slices.Contains(meant, other) {
			meant = append(meant, other)
		}
	}
	if strings.Contains(plain, ",") {
		meant = append(meant, "{"+strings.NewReplacer(", ", ",", "/,", ",").Replace(strings.TrimRight(plain, "/"))+"}")
	}
	return meant
}

var special = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`, "{", `\{`, "}", `\}`)

// Literal returns the glob that matches a name, and nothing else.
func Literal(name string) string { return special.Replace(name) }

func (n *nearby) add(e *entry) {
	first, _, below := strings.Cut(e.path, "/")
	if below || e.IsDir() {
		first += "/"
	}
	if e.path != "" && len(n.top) <= maxTop && !slices.Contains(n.top, first) {
		n.top = append(n.top, first)
	}
	anyMatch(n.slips, e.path)
	if e.IsDir() || len(n.names) == maxNear {
		return
	}
	if len(n.want) > 1 && strings.Contains(strings.ToLower(names.Base(e.path)), n.want) {
		n.names = append(n.names, e.path)
	}
}

// noMatch is the error about patterns that the names look like.
func (n *nearby) noMatch(patterns ...string) *NoMatchError {
	e := &NoMatchError{Patterns: patterns, Near: n.names, Top: n.top}
	if len(e.Top) > maxTop {
		e.Top = append(e.Top[:maxTop:maxTop], "…")
	}
	if i := slices.IndexFunc(n.slips, func(p *pattern) bool { return p.used }); i >= 0 {
		e.Meant = n.slips[i].text
	}
	return e
}

// near lists entries that look like a pattern.
func near(text string, entries []*entry) *nearby {
	n := newNearby(text)
	for _, e := range entries {
		n.add(e)
	}
	return n
}
