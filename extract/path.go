package extract

import (
	"runtime"
	"strings"
	"unicode/utf8"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/internal/printable"
)

const (
	maxComponent = 255 // NAME_MAX of nearly all file systems
	maxDepth     = 200 // directories; the limit only stops nonsense
)

// rules are those of the platform that files are written on. They are values,
// so that the rules of one platform are tested on every other.
type rules struct {
	backslash bool // separates, as on Windows
	utf8      bool // names must be valid UTF-8, as on Windows and macOS
	fold      bool // names that differ only in case are the same, as there and on FAT
}

func platformRules() rules {
	windows, mac := runtime.GOOS == "windows", runtime.GOOS == "darwin"
	return rules{backslash: windows, utf8: windows || mac, fold: windows || mac}
}

// cleanName checks a name from an archive and returns it without "." and empty
// components, and without a slash at its end; "" is the directory itself. A name
// that is unsafe on any platform is refused on all of them. Names that are safe,
// but impossible on this platform, are the concern of unfit.
func (rules) cleanName(name string, allowGit bool) (string, error) {
	if isPlain(name) {
		return strings.TrimSuffix(name, "/"), nil
	}
	return cleanOther(name, allowGit)
}

// ReasonGit is why an [UnsafeError] refuses a name below .git, where hooks are run. See
// [Options].AllowGit.
const ReasonGit = "it would change a Git repository"

func cleanOther(name string, allowGit bool) (string, error) {
	if reason := badName(name); reason != "" {
		return "", &UnsafeError{Entry: name, Reason: reason}
	}
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "" || part == ".":
			continue
		case len(part) > maxComponent:
			return "", &UnsafeError{Entry: name, Reason: "a part of the name is longer than 255 bytes"}
		case !allowGit && isGit(part):
			return "", &UnsafeError{Entry: name, Reason: ReasonGit}
		case stageName.MatchString(part):
			return "", &UnsafeError{Entry: name, Reason: "it has the name of a staging directory of artifetch"}
		}
		parts = append(parts, part)
	}
	if len(parts) > maxDepth {
		return "", &UnsafeError{Entry: name, Reason: "more than 200 directories deep"}
	}
	clean := name
	if joined := strings.Join(parts, "/"); joined != strings.TrimSuffix(name, "/") {
		clean = joined
	} else {
		clean = clean[:len(joined)] // no second copy of a long name
	}
	if clean != "" && badName(clean) != "" { // what "./" in front has hidden
		return "", &UnsafeError{Entry: name, Reason: badName(clean)}
	}
	return clean, nil
}

// isPlain reports whether a name is clean as it is, with at most a slash at its
// end: most are, and need no closer look.
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

// badName gives the reason to refuse a name outright, or "".
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

// isReserved knows the names of devices, with any ending, and what Windows drops
// from the end of a name: Microsoft, "Naming Files, Paths, and Namespaces".
func isReserved(part string) bool {
	if strings.TrimRight(part, ". ") != part {
		return true
	}
	stem, _, _ := strings.Cut(strings.ToUpper(part), ".")
	stem = strings.TrimRight(stem, " ")
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	device, found := strings.CutPrefix(stem, "COM")
	if !found {
		device, found = strings.CutPrefix(stem, "LPT")
	}
	return found && utf8.RuneCountInString(device) == 1 && strings.ContainsAny(device, "0123456789¹²³")
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// isGit knows the spellings that file systems take for ".git": any case, dots
// and spaces at the end (Windows), the short name of FAT, the alternate stream
// of NTFS, and characters that HFS+ does not look at (CVE-2014-9390).
func isGit(part string) bool {
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

// checkTarget checks the target of a link for what no link may have.
func checkTarget(name, target string) error {
	switch {
	case target == "" || len(target) >= archive.MaxPath:
		return &UnsafeError{Entry: name, Reason: "the link has no target, or one that is too long"}
	case strings.ContainsRune(target, 0):
		return &UnsafeError{Entry: name, Reason: "the link's target holds a zero byte"}
	}
	return nil
}

// leads says how a link at path leads out, or "": a target is to be relative,
// with ".." only in front, and not above the directory that is extracted into.
// All parents of a link are real directories, so that such a link cannot lead
// outside.
func (r rules) leads(path, target string) string {
	switch {
	case target[0] == '/' || r.backslash && strings.ContainsAny(target, `\:`):
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
