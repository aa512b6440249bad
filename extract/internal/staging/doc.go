// Package staging puts files into a directory: all of them, or none.
//
// [New] makes a staging directory inside the output directory, with a lock
// (dir.go, lock_*.go), after it has removed those of killed runs and restored what
// these had moved away (stale.go, recovery.go). Files are created below its new/
// (tree.go, file.go, dir_*.go), with a limit on open files (openfiles.go); a second file with
// the same path is kept aside and compared (duplicates.go). Links come after files
// (links.go).
//
// [Dir.Commit] waits for other commits into the directory (turns.go), compares new/ with
// it and plans the moves (commit.go): a directory that doesn't exist there is one rename. A journal makes the
// moves (journal.go, replace.go, move_*.go) and undoes them if one fails; it also removes files (prune.go). What can't be restored is
// kept, and the error says where (rescue.go).
//
// Nothing is written outside the output directory: [os.Root] confines every call, and
// no call follows a link (root.go).
package staging
