// Package codec bounds what decompressors may do with memory, and what a damaged
// stream may do to them.
//
// Before an entry of a zip is opened, its first bytes say how large its window will be
// (window.go). Streams with large windows take turns ([LargeWindows], turns.go).
// The decompressor is opened with that bound (zstd, xz, lzma and lzip.go), and
// [Guard] turns its panics into errors (guard.go). [EachMember] takes a gzip file apart
// into its members (member.go).
package codec
