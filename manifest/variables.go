package manifest

import (
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v3"
)

var (
	variable = regexp.MustCompile(`\$\{([^}]*)\}`)
	unclosed = regexp.MustCompile(`^\$[A-Za-z_]|\$\{[^}]*$`) // $NAME in front, or ${NAME
	name     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	secret   = regexp.MustCompile(`(?i)token|secret|passw|credential|private|jwt|_key$|_pat$`)
	// The prefixes of GitLab's tokens and JSON Web Tokens. An instance may add its own
	// prefix, as in mycorp-glpat-….
	secretValue = regexp.MustCompile(`^(gl[a-z]{2,6}-|[0-9A-Za-z_-]+?-gl(pat|cbt|dt|rt|ptt|oas|soat)-|eyJ)`)
)

// expand replaces ${VAR}, where that is allowed. Values in a manifest are printed and
// locked, so they must not contain secrets.
func (r *reader) expand(n *yaml.Node, allowed bool) (string, error) {
	var failed error
	if allowed && unclosed.MatchString(n.Value) {
		return "", r.fail(n, fmt.Sprintf("%q isn't replaced by a variable", n.Value), "write ${NAME}; there are no other forms")
	}
	text := variable.ReplaceAllStringFunc(n.Value, func(ref string) string {
		wanted := ref[2 : len(ref)-1]
		value, set := "", false
		switch {
		case !allowed:
			failed = r.fail(n, ref+" isn't allowed here", "variables are allowed in project, ref, job, pipeline, sha and output")
		case !name.MatchString(wanted):
			failed = r.fail(n, ref+" isn't the name of a variable", "write ${NAME}; there are no other forms")
		case secret.MatchString(wanted):
			failed = r.fail(n, ref+" looks like a secret, which isn't allowed here", "artifetch reads tokens from the environment, or from a file named on the command line")
		default:
			value, set = r.lookup(wanted)
			switch {
			case !set || value == "":
				failed = r.fail(n, ref+" is not set", "set the variable, or write the value")
			case secretValue.MatchString(value):
				failed, value = r.fail(n, ref+" contains what looks like a token, which isn't allowed here", "artifetch reads tokens from the environment, or from a file named on the command line"), ""
			}
		}
		return value
	})
	return text, failed
}
