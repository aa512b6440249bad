package env

import (
	"strconv"
	"strings"

	"github.com/sethvargo/go-envconfig"
)

// cleaned removes the final line break of a value, which often comes from pasting or from
// a file; it ignores empty values, so they don't override defaults; and it finds
// references that weren't expanded. It stores the first of those, because a Lookuper
// can't return an error.
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
			Fix:    "a shell doesn't expand variables in single quotes, and GitLab doesn't expand variables that don't exist",
		}
	}
	if strings.HasPrefix(name, "CI_") && strings.HasSuffix(name, "_ID") && !isID(name, value) {
		return "", false // not GitLab's
	}
	return value, ok && value != ""
}

// isID reports whether a variable that GitLab sets to a job's or pipeline's number
// contains one. Other CI systems may have the same variable with another value, which is
// meaningless here.
func isID(name, value string) bool {
	if name == "CI_PROJECT_ID" || name == "CI_UPSTREAM_PROJECT_ID" || name == "CI_MERGE_REQUEST_PROJECT_ID" { // a path is also valid
		return true
	}
	n, err := strconv.ParseInt(value, 10, 64)
	return err == nil && n > 0
}

// Unexpanded reports whether a value is only a reference to a variable, such as
// $CI_JOB_TOKEN, ${CI_JOB_TOKEN} or %CI_JOB_TOKEN%, and returns it.
func Unexpanded(value string) (string, bool) {
	name, ok := referred(value)
	if !ok || name == "" || strings.Trim(name, "_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return "", false
	}
	return value, true
}

// referred returns the name in a reference.
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
