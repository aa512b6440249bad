package extract

import (
	"runtime"
	"strings"
)

const (
	maxPath      = 4096 // bytes of a name; PATH_MAX of Linux
	maxComponent = 255  // NAME_MAX of nearly all file systems
	maxDepth     = 200  // directories; the limit only stops nonsense
)

// rules are those of the platform that files are written on. They are values,
// so that the rules of one platform are tested on every other.
type rules struct {
	backslash bool // separates, as on Windows
	fold      bool // names that differ by case alone are one, as on Windows and macOS
}

func platformRules() rules {
	return rules{backslash: runtime.GOOS == "windows", fold: runtime.GOOS == "windows" || runtime.GOOS == "darwin"}
}

// cleanName checks a name from an archive and returns it without "." and empty
// components, and without a slash at its end; "" is the directory itself. What
// could leave the directory on any platform is refused on every one: an archive
// is either safe or it is not.
func (r rules) cleanName(name string, allowGit bool) (string, error) {
	if reason := badName(name); reason != "" {
		return "", &UnsafeError{name, reason}
	}
	if r.backslash && strings.Contains(name, `\`) {
		return "", &UnsafeError{name, "a backslash separates directories here"}
	}
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "" || part == ".":
			continue
		case len(part) > maxComponent:
			return "", &UnsafeError{name, "a part of the name is longer than 255 bytes"}
		case !allowGit && isGit(part):
			return "", &UnsafeError{name, "it would change a Git repository"}
		}
		parts = append(parts, part)
	}
	if len(parts) > maxDepth {
		return "", &UnsafeError{name, "more than 200 directories deep"}
	}
	return strings.Join(parts, "/"), nil
}

// badName gives the reason to refuse a name outright, or "".
func badName(name string) string {
	switch {
	case name == "":
		return "the name is empty"
	case len(name) > maxPath:
		return "the name is longer than 4096 bytes"
	case name[0] == '/' || name[0] == '\\':
		return "the name is absolute"
	case len(name) > 1 && name[1] == ':' && isLetter(name[0]):
		return "the name begins with a drive letter"
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "the name holds control characters"
	}
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == ".." {
			return "the name leads out of the directory"
		}
	}
	return ""
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// isGit knows the spellings that file systems take for ".git": any case, dots
// and spaces at the end (Windows), the short name of FAT, the alternate stream
// of NTFS.
func isGit(part string) bool {
	part, _, _ = strings.Cut(part, ":")
	part = strings.TrimRight(part, ". ")
	return strings.EqualFold(part, ".git") || strings.EqualFold(part, "git~1")
}

// checkTarget checks where a link at path would point: relative, ".." only in
// front, and not above the directory that is extracted into. All parents of a
// link are real directories, so such a link cannot lead outside.
func (r rules) checkTarget(path, name, target string) error {
	reason := ""
	switch {
	case target == "" || len(target) >= maxPath:
		reason = "the link has no target, or one that is too long"
	case target[0] == '/' || strings.ContainsRune(target, 0) || r.backslash && strings.ContainsAny(target, `\:`):
		reason = "the link points to an absolute path"
	case escapes(path, target):
		reason = "the link points out of the directory"
	}
	if reason != "" {
		return &UnsafeError{name, reason + ": " + target}
	}
	return nil
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

// strip renames an entry: the first n directories of its path go, or all.
func strip(path string, n int, flat bool) string {
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
