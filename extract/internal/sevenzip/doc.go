// Package sevenzip reads 7z archives.
//
// [Open] reads the header (archive.go): where the packed streams are and how they
// are packed (streams.go, coders.go), and the properties of the files (files.go). It
// is a parser of its own (parser.go) that believes no count that its bytes couldn't
// hold, because the library allocates whatever a header claims.
//
// [Archive.Read] unpacks one folder (folder.go). The library does that, from an
// archive of one file whose header we write (methods.go), with dictionaries that are
// no larger than needed.
//
// The format is that of 7zFormat.txt in the LZMA SDK.
package sevenzip
