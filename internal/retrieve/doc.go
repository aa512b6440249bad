// Package retrieve downloads the archives that a query means and extracts them into one
// staging directory: all files arrive, or none. It also looks into a single archive
// without downloading all of it.
//
//	retrieve.go   Retriever.Run: resolve the query, load the archives side by side, commit;
//	              start over if an archive changed meanwhile
//	wait.go       Waiter: try again until a job has finished
//	output.go     Output: the directory of each job
//	load.go       Loader.Load: one archive → a stage
//	cached.go     Loader.LoadCached: the same from the cache, without requests
//	single.go     a few files of an archive, one by one, if there are no ranges
//	open.go       Opener.Open: one archive, from the first place that serves it
//	find.go       Inspector: which archives there are, and whether they can be downloaded
//	list.go       Inspector.List: the files of one archive
//	cat.go        Inspector.Cat: the content of one file
//	report.go     reports of a job in place of its archive, told apart from that
//	local.go      Extract: an archive that is on this machine already
//	result.go     the files that were extracted, and their cost
//
// Each type can be used alone: a caller with a stage of its own (package pin) needs the
// Loader only. Nothing here prints: Events has the callbacks, and errors have types.
//
// The job of an archive may become known late, by a fallback after a refusal. So the
// artifact of a [Result] counts, not the one of the [Task].
package retrieve
