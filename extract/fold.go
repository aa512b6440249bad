package extract

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// foldName maps names that differ by case or by Unicode normalisation alone to
// one. APFS and NTFS compare in this way, if not by quite the same tables; a
// pair that only one of them takes for equal is refused, too, on both.
func foldName(name string) string {
	return norm.NFC.String(strings.ToLower(strings.ToUpper(norm.NFD.String(name))))
}
