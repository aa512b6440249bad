package extract

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// pattern selects by name. GitLab Runner matches artifacts:paths by the same
// library, so that people know what its globs mean.
type pattern struct {
	text string // as the user wrote it
	glob string // without "./" in front and slashes at the end
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

// selectEntries returns the entries that o asks for, with their destinations.
// A pattern may name a file as it is in the archive or as it will be placed.
func selectEntries(entries []*entry, o Options) ([]*entry, error) {
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
		if e.path == "" || e.isDir() && (o.Flat || strings.Count(e.path, "/") < o.StripComponents) {
			continue
		}
		placed := strip(e.path, o.StripComponents, o.Flat)
		if anyMatch(include, e.path, placed) || len(include) == 0 {
			if !anyMatch(exclude, e.path, placed) {
				e.dest = join(o.Prefix, placed)
				selected = append(selected, e)
			}
		}
	}
	if unused := unusedPatterns(include); len(unused) > 0 {
		return nil, &NoMatchError{unused, near(unused[0], entries)}
	}
	return selected, nil
}

// anyMatch marks every pattern that matches, so that the others can be named.
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

func join(prefix, path string) string {
	if prefix == "" {
		return path
	}
	return strings.Trim(prefix, "/") + "/" + path
}

// maxNear is how many names a hint lists.
const maxNear = 3

// near lists entries that share the last part of the pattern, ignoring case.
func near(text string, entries []*entry) []string {
	want := strings.ToLower(base(strings.Trim(text, "/*")))
	var names []string
	for _, e := range entries {
		if len(names) < maxNear && want != "" && !e.isDir() && strings.Contains(strings.ToLower(base(e.path)), want) {
			names = append(names, e.path)
		}
	}
	for _, e := range entries {
		if len(names) == 0 && !e.isDir() {
			names = append(names, e.path)
		}
	}
	return names
}
