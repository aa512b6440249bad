package env

import (
	"strings"

	"github.com/sethvargo/go-envconfig"
)

// cleaned removes the line break at the end of a value, which often comes from pasting or
// from a file; ignores empty values, so they don't override defaults; and finds references
// that weren't expanded. It stores the first of those, because a Lookuper can't return an
// error.
type cleaned struct {
	from envconfig.Lookuper
	err  error
}

// Lookup implements [envconfig.Lookuper].
func (c *cleaned) Lookup(name string) (string, bool) {
	value, ok := c.from.Lookup(name)
	value = strings.TrimRight(value, "\r\n")
	if ref, found := Unexpanded(value); found && c.err == nil {
		c.err = &UsageError{
			Name:   name,
			Reason: "holds the literal text " + ref + ": it was not expanded",
			Fix:    "single quotes keep a shell from expanding; and GitLab leaves a reference to a variable that does not exist as it is",
		}
	}
	return value, ok && value != ""
}

// Unexpanded reports whether a value is nothing but a reference to a variable,
// such as $CI_JOB_TOKEN, ${CI_JOB_TOKEN} or %CI_JOB_TOKEN%, and returns it.
func Unexpanded(value string) (string, bool) {
	name, ok := referred(value)
	if !ok || name == "" || strings.Trim(name, "_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return "", false
	}
	return value, true
}

// referred returns what a reference refers to.
func referred(value string) (name string, ok bool) {
	if len(value) > 2 && strings.HasPrefix(value, "%") && strings.HasSuffix(value, "%") {
		return value[1 : len(value)-1], true
	}
	if name, ok = strings.CutPrefix(value, "$"); ok && strings.HasPrefix(name, "{") && strings.HasSuffix(name, "}") {
		name = name[1 : len(name)-1]
	}
	return name, ok
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func truthy(value string) bool {
	return value != "" && value != "0" && !strings.EqualFold(value, "false")
}
