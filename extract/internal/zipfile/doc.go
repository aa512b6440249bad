// Package zipfile reads the directory of a ZIP archive.
//
// [ReadDirectory] finds the end record (endrecord*.go), reads the central directory that
// it points to (directory.go) and turns each file header into an [Entry]: mode, time and
// extra fields (header.go), and the name in UTF-8 (name.go). While an entry's data is
// decoded, [Entry.ReadLocalHeader] and [Entry.ReadDescriptor] check the copies of that
// header around the data (localheader.go).
//
// It has its own parser because the planner of package unzip needs the offsets of local
// headers, which archive/zip doesn't export, and because these checks keep a workspace
// safe: one end record, counts and sizes that agree, and no two entries that share bytes.
// Names aren't checked here: see package extract.
//
// The format is PKWARE's APPNOTE 6.3.10:
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
package zipfile
