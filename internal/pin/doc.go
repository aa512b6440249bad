// Package pin keeps a directory in the state of its manifest and its lock file:
// artifetch.yml lists sources, and artifetch.lock has the exact job and files of each
// (see package manifest).
//
//	workspace.go  Open: the two files, and their directory
//	plan.go       Syncer.Plan: for each source, what its query finds now, what is locked, and
//	              whether it is in place
//	byref.go      an archive that is downloaded while its job is found
//	apply.go      Syncer.Apply: load what isn't in place into one stage (package retrieve),
//	              compare it with the lock file, commit it with the new lock file
//	prune.go      what that commit removes
//	edit.go       the first manifest; adding and removing sources
//	drift.go      how the manifest and the lock file disagree
//	unlike.go     how a downloaded archive differs from what is locked
//	verify.go     Workspace.Verify: the directory against the lock file; no requests
//	report.go     what a plan changes, for messages
//	errors.go     differences from the lock file
//
// A locked source doesn't change: it is downloaded by job ID, and each file must have the
// locked SHA-256. Only an update moves it to what its query finds now.
package pin
