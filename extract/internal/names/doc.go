// Package names says which names from an archive may be written, and where.
//
// [Rules.Clean] refuses names that are unsafe on any platform (names.go). Of those
// that are selected, [Rules.Unfit] and [Rules.Key] find names that one platform can't
// have, or can't tell apart (fit.go). [CheckTarget] and [Rules.Escape] judge the
// targets of links (link.go).
//
// Paths have slashes, on every platform.
package names
