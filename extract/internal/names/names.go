package names

import (
	"runtime"
	"strings"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/internal/printable"
)

const (
	maxComponent = 255 // NAME_MAX of nearly all file systems
	maxDepth     = 200 // directories; the limit only stops nonsense
)

// Rules are those of the platform that files are written on. They are values, so that
// the rules of one platform are tested on every other.
type Rules struct {
	Backslash bool // separates directories, as on Windows
	UTF8      bool // names must be valid UTF-8, as on Windows and macOS
	Fold      bool // names that differ only in case are the same, as there and on FAT
}

// Platform returns the rules of the platform that the program runs on.
func Platform() Rules {
	windows, mac := runtime.GOOS == "windows", runtime.GOOS == "darwin"
	return Rules{Backslash: windows, UTF8: windows || mac, Fold: windows || mac}
}

// Clean checks a name from an archive and returns it without "." and empty
// components, and without a slash at its end; "" is the output directory itself. A
// name that is unsafe on any platform is refused on all of them. Unfit finds names
// that are safe, but impossible on one platform.
func (Rules) Clean(name string, allowGit bool) (string, error) {
	if isPlain(name) {
		return strings.TrimSuffix(name, "/"), nil
	}
	return cleanOther(name, allowGit)
}

// ReasonGit is why an [archive.UnsafeError] refuses a name below .git, whose hooks Git
// runs.
const ReasonGit = "it would change a Git repository"

func cleanOther(name string, allowGit bool) (string, error) {
	if reason := badName(name); reason != "" {
		return "", &archive.UnsafeError{Entry: name, Reason: reason}
	}
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." {
			continue
		}
		if reason := badPart(part, allowGit); reason != "" {
			return "", &archive.UnsafeError{Entry: name, Reason: reason}
		}
		parts = append(parts, part)
	}
	if len(parts) > maxDepth {
		return "", &archive.UnsafeError{Entry: name, Reason: "more than 200 directories deep"}
	}
	clean := name
	if joined := strings.Join(parts, "/"); joined != strings.TrimSuffix(name, "/") {
		clean = joined
	} else {
		clean = clean[:len(joined)] // no second copy of a long name
	}
	if clean != "" && badName(clean) != "" { // "./" at its beginning has hidden it
		return "", &archive.UnsafeError{Entry: name, Reason: badName(clean)}
	}
	return clean, nil
}

// badPart says why part of a name isn't safe.
func badPart(part string, allowGit bool) string {
	switch {
	case len(part) > maxComponent:
		return "a part of the name is longer than 255 bytes"
	case !allowGit && IsGit(part):
		return ReasonGit
	case IsStage(part):
		return "it has the name of one of artifetch's staging directories"
	}
	return ""
}

// isPlain reports whether a name is obviously clean, apart from a slash at its end.
// Most names are, and need no closer look.
func isPlain(name string) bool {
	if name == "" || len(name) > maxComponent { // so that no part is too long, or too deep
		return false
	}
	before := byte('/')
	for i := range len(name) {
		c := name[i]
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '+':
		case (c == '.' || c == '/') && before != '/': // not at the beginning of a part
		default:
			return false
		}
		before = c
	}
	return true
}

// badName returns the reason to refuse a name outright, or "".
func badName(name string) string {
	switch {
	case name == "":
		return "an entry has no name"
	case len(name) > archive.MaxPath:
		return "the name is longer than 4096 bytes"
	case name[0] == '/' || name[0] == '\\':
		return "the name is absolute"
	case len(name) > 1 && name[1] == ':' && isLetter(name[0]):
		return "the name begins with a drive letter"
	case printable.HasHidden(name):
		return "the name contains control characters, or characters that change the text direction"
	}
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == ".." {
			return "the name leads out of the directory"
		}
	}
	return ""
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// IsGit reports whether a file system may read a name as ".git": any case, dots and
// spaces at the end (Windows), the short name of FAT, the alternate stream of NTFS, and
// characters that HFS+ ignores (CVE-2014-9390).
func IsGit(part string) bool {
	part = strings.Map(visible, part)
	part, _, _ = strings.Cut(part, ":")
	part = strings.TrimRight(part, ". ")
	return strings.EqualFold(part, ".git") || strings.EqualFold(part, "git~1")
}

// visible drops the characters that HFS+ ignores in names.
func visible(r rune) rune {
	switch {
	case '\u200c' <= r && r <= '\u200f', '\u202a' <= r && r <= '\u202e', '\u206a' <= r && r <= '\u206f', r == '\ufeff':
		return -1
	}
	return r
}
