package failure

import (
	"regexp"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/manifest"
)

// Flags are the flags of the current command. Errors come from packages that many
// commands use, and a hint must not name a flag that the command doesn't have.
type Flags struct {
	Names    []string // without dashes
	Manifest bool     // use the keys of a manifest instead of flags
}

// flagInHint matches a flag with its short name, and with its value if a manifest writes
// it in the same way.
var flagInHint = regexp.MustCompile(`--([a-z][a-z0-9]*(?:-[a-z0-9]+)*)(?: \(-[A-Za-z]\))?( latest| \d+)?`)

// fit removes the parts of a hint that name a flag that the command doesn't have. Hints
// are written for that: parts end at "; ", and alternatives at ", or ". It keeps parts
// that are a command line or about a Dockerfile.
func (f Flags) fit(hint string) string {
	var parts []string
	for part := range strings.SplitSeq(hint, "; ") {
		if ways := f.fitWays(strings.Split(part, ", or ")); len(ways) > 0 {
			parts = append(parts, strings.Join(ways, ", or "))
		}
	}
	return strings.Join(parts, "; ")
}

// fitWays keeps the alternatives that the command has. The later ones depend on the
// first.
func (f Flags) fitWays(ways []string) (kept []string) {
	for i, way := range ways {
		if f.Manifest {
			way = inKeys(way)
		}
		switch {
		case f.has(way) || strings.Contains(way, "artifetch ") || strings.Contains(way, "Dockerfile"):
			kept = append(kept, way)
		case i == 0:
			return nil
		}
	}
	return kept
}

// has reports whether the command has all flags in a text.
func (f Flags) has(text string) bool {
	for _, named := range flagInHint.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(f.Names, named[1]) {
			return false
		}
	}
	return true
}

// inKeys replaces flags by the manifest keys with the same names.
func inKeys(text string) string {
	return flagInHint.ReplaceAllStringFunc(text, func(flag string) string {
		named := flagInHint.FindStringSubmatch(flag)
		switch key, value := named[1], named[2]; {
		case !slices.Contains(manifest.Keys(), key):
			return flag
		case value != "":
			return `"` + key + ":" + value + `"`
		default:
			return `"` + key + `"`
		}
	})
}
