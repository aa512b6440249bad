// Package retrieve downloads a query's archives and extracts them into one staging
// directory: all files arrive, or none. It also reads parts of a single archive without
// downloading all of it.
//
//	retrieve.go   Retriever.Run: resolve the query, load the archives in parallel, commit;
//	              start over if an archive changed in the meantime
//	wait.go       Waiter: try again until a job has finished
//	output.go     Output: the directory of each job
//	sidebyside.go several archives at the same time
//	load.go       Loader.Load: one archive → a stage
//	loadopen.go   how it opens the archive, so that no two mix
//	cached.go     Loader.LoadCached: the same from the cache, without requests; Loader.Digest
//	single.go     a few files of an archive, one by one, without range requests
//	open.go       Opener.Open: one archive, from the first place that serves it
//	joblookup.go  the job of an archive that GitLab selects by ref, found while it arrives
//	agree.go      whether the bytes are those of the job that the lists name
//	find.go       Inspector: a query's archives, and whether they can be downloaded
//	list.go       Inspector.List: the files of one archive
//	cat.go        Inspector.Cat: the content of one file
//	matches.go    patterns that match in none of a job's reports
//	report.go     a job's reports instead of its archive, and how to tell them apart
//	inspectreport.go the files of one report
//	local.go      Extract: an archive on this machine
//	result.go     the extracted files, and their cost
//
// Each type can be used alone: a caller with its own stage (package pin) only needs the
// Loader. Nothing here prints: Events has the callbacks, and errors have types.
//
// A fallback after a refusal may find out an archive's job late. So the artifact of a
// [Result] counts, not the one of the [Task].
package retrieve
