// Package pin keeps a directory as its manifest and its lock file say: artifetch.yml
// lists sources, and artifetch.lock says exactly which job and which files each of them
// is (see package manifest).
//
//	workspace.go  Open: the two files, and the directory that they are about
//	plan.go       Syncer.Plan: per source, what is meant now, what is locked, and whether
//	              it is in place
//	apply.go      Syncer.Apply: load what isn't in place into one stage (package retrieve),
//	              compare it with what is locked, commit it with the new lock file
//	prune.go      what that commit removes
//	edit.go       a first manifest; sources that are added and removed
//	drift.go      how the manifest and the lock file disagree
//	verify.go     Workspace.Verify: the directory against the lock file; no requests
//	report.go     what a plan changes, for messages
//	errors.go     differences from the lock file
//
// A locked source stays as it is: it is downloaded by job ID, and each file must have
// the SHA-256 that is locked. Only an update moves it to what its query means now.
package pin
