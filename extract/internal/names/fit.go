package names

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Unfit returns the reason why the platform can't have a file of that name, or "".
// Only selected entries need to fit.
func (r Rules) Unfit(path string) string {
	switch {
	case r.Backslash && strings.ContainsAny(path, `\:*?"<>|`):
		return `it contains one of \:*?"<>|`
	case r.UTF8 && !utf8.ValidString(path):
		return "it isn't UTF-8"
	case !r.Backslash:
		return ""
	}
	for part := range strings.SplitSeq(path, "/") {
		if isReserved(part) {
			return fmt.Sprintf("Windows reads %q as another name or a device", part)
		}
	}
	return ""
}

// isReserved reports whether Windows reads a name as a device, whatever its ending, or
// drops its end: Microsoft, "Naming Files, Paths, and Namespaces".
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

// Key is the same for paths that the file system can't tell apart.
func (r Rules) Key(path string) string {
	if r.Fold {
		return foldName(path)
	}
	return path
}

// foldName maps names that differ only by case or by Unicode normalisation to the same
// name. APFS and NTFS compare in this way, with slightly different tables: a pair that
// only one of them can't tell apart is refused on both.
func foldName(name string) string {
	return norm.NFC.String(strings.ToLower(strings.ToUpper(norm.NFD.String(name))))
}
