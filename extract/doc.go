// Package extract puts the files of an archive into a directory: all that were
// selected, or none.
//
//	stage := NewStage(dir)                a directory inside dir, with a lock
//	stage.Add(archive):
//	  recognise what arrived
//	  zip: read the central directory     one read of the end, one of the rest
//	       check every entry              names, kinds, sizes, methods, overlaps
//	       select, rename                 globs, --strip-components
//	       plan regions                   neighbours together, up to 16 MiB
//	       workers: open a region, and decode its entries while they arrive,
//	                into files of the stage; size and CRC-32 decide
//	  others: the same rules, entry by entry, from one stream
//	stage.Commit():                       archives within archives, if asked for;
//	  links, then modes and times of directories; compare with what is there; then
//	  rename the topmost new names, descend only into directories that exist;
//	  a journal puts everything back if one rename fails
//	stage.Discard()
//
// Nothing is written outside dir: [os.Root] confines every call, names and link
// targets are checked before anything is written, files are created only where
// nothing is, and links are made after all files, so that nothing is written
// through one. What exists is replaced by a rename, which follows no link.
//
// The zip format is PKWARE's APPNOTE 6.3.10:
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
//
// Not guaranteed: that a crash of the machine in the middle of Commit leaves all
// files new or all old. Each single file is one or the other.
package extract
