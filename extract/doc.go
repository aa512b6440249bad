// Package extract puts the files of an archive into a directory: all that were
// selected, or none.
//
//	stage := NewStage(dir)                a staging directory inside dir, with a lock
//	stage.Add(archive):
//	  recognize the format                (sniff.go, archiver.go)
//	  zip: read the central directory     one read of the end, one of the rest
//	       check every entry              names, kinds, sizes, methods, overlaps (entry.go)
//	       select and rename              globs, --strip-components (match.go, unfit.go)
//	       unzip into the stage           workers, with size and CRC-32 checked (zip.go)
//	  7z:  the same, folder by folder     (sevenzip.go)
//	  others: the same rules, entry by entry, from one stream
//	                                      (stream.go, tar.go, untar.go)
//	stage.AddReport(report):              a report of a job, by the same rules (report.go)
//	stage.Commit():                       unpack archives within archives (nested.go),
//	  make links, set modes and times of directories (finish.go), then move everything
//	  into place by renames; if one fails, put everything back
//	stage.Discard()
//
// [List], [Cat] and [ReadStatement] read parts of a zip archive without a stage.
//
// Packages below internal/ do the work: zipfile and unzip, sevenzip and codec for the
// formats, names for what is safe to write, staging for the files. This one decides what
// to select, which limits hold (budget.go), and in which order.
//
// Not guaranteed: that a crash of the machine in the middle of Commit leaves all files
// new or all old. Each single file is one or the other.
package extract
