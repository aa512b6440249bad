// Package gitlabtest is a simulated GitLab for tests, the demo and benchmarks: an
// [http.Handler] that answers as GitLab does, with its faults and quirks.
//
//	World     the instance's projects, pipelines, jobs and tokens (package world)
//	Options   its version, licence, and how it serves archives
//	Limits    its rate limits; [Server.Counts] counts requests by their purpose
//	Fault     something that goes wrong, and for which requests
//	Start     starts GitLab and its object storage on loopback
//	Running   the started servers; Env returns a job's predefined variables
//
// A request goes through the log and the faults (log.go, faults.go), the rate limits
// (limits.go) and the router (route.go). Its handler identifies the caller (auth.go,
// package access), reads or changes the world, and answers with package answer, package
// entity or, for archives, package storage.
//
// Package feature lists what each version of GitLab can do. If the sources leave a
// question open, it is marked (U) and an option gives the other answer:
// [Options.Since] for a feature, and an option of its own for anything else.
//
// Requests change the world: an erased job loses its archive, and a retried job gets a
// successor. A job with FinishAfter finishes after that many requests have seen it.
// [Server.Update] changes anything else between two requests. Requests take turns with
// the world until their answers are complete, and send bodies in parallel.
//
// The simulator follows the server, never a client's wishes. A rule that a reader might
// doubt names its source: a page of https://docs.gitlab.com, or a file of GitLab's
// source (https://gitlab.com/gitlab-org/gitlab), such as
// lib/api/ci/job_artifacts.rb.
package gitlabtest
