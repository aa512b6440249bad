package arrange

import (
	"slices"
	"strings"
)

// Others returns the flags of the line, with their values, except those among words. The
// values of a job's variables and inputs may be secrets, and are left out.
func (a *Line) Others(words []string) (others []string) {
	for _, flag := range slices.Concat(a.globals, a.flags) {
		name, value, hasValue := strings.Cut(flag, "=")
		info, _, _ := a.lookup(strings.TrimPrefix(name, "--"))
		switch {
		case slices.Contains(words, name):
		case name == "--variable" || name == "--input":
			key, _, _ := strings.Cut(value, "=")
			others = append(others, name, key+"=…")
		case hasValue && info.TakesValue && !strings.HasPrefix(value, "-"):
			others = append(others, name, value)
		default:
			others = append(others, flag)
		}
	}
	return others
}
