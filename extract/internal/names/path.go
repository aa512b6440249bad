package names

import (
	"regexp"
	"strings"
)

// StagePrefix begins the names of staging directories.
const StagePrefix = ".artifetch-"

// stageName matches the names of staging directories. Other directories may begin in
// the same way.
var stageName = regexp.MustCompile(`^` + regexp.QuoteMeta(StagePrefix) + `[a-z2-7]{16}$`)

// IsStage reports whether a directory has the name of a staging directory.
func IsStage(name string) bool { return stageName.MatchString(name) }

// Parent returns the directory of a path, or "".
func Parent(path string) string {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return ""
	}
	return path[:i]
}

// Base returns the last component of a path.
func Base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// Join joins a directory, which may be "", and a path below it.
func Join(prefix, path string) string {
	if prefix == "" {
		return path
	}
	return strings.Trim(prefix, "/") + "/" + path
}

// Strip drops the first n directories of a path, or all if flat is set.
func Strip(path string, n int, flat bool) string {
	if flat {
		return path[strings.LastIndexByte(path, '/')+1:]
	}
	for ; n > 0; n-- {
		_, rest, found := strings.Cut(path, "/")
		if !found {
			break
		}
		path = rest
	}
	return path
}
