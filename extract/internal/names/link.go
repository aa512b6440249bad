package names

import (
	"strings"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// CheckTarget returns an error if no link may have that target.
func CheckTarget(name, target string) error {
	switch {
	case target == "" || len(target) >= archive.MaxPath:
		return &archive.UnsafeError{Entry: name, Reason: "the link has no target, or one that is too long"}
	case strings.ContainsRune(target, 0):
		return &archive.UnsafeError{Entry: name, Reason: "the link's target contains a NUL byte"}
	}
	return nil
}

// Escape returns how a link at path leads out of the output directory, or "". A target
// must be relative, with ".." only at its beginning, and must not lead above the output
// directory. All parents of a link are real directories, so a link that passes these
// checks can't lead out.
func (r Rules) Escape(path, target string) string {
	switch {
	case target[0] == '/' || r.Backslash && strings.ContainsAny(target, `\:`):
		return "the link points to an absolute path"
	case escapes(path, target):
		return "the link points out of the directory"
	}
	return ""
}

func escapes(path, target string) bool {
	up := strings.Count(path, "/")
	below := false
	for part := range strings.SplitSeq(target, "/") {
		switch part {
		case "", ".":
		case "..":
			if up--; up < 0 || below {
				return true
			}
		default:
			below = true
		}
	}
	return false
}
