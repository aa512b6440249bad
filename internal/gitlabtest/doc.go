// Package gitlabtest is a simulated GitLab: an [http.Handler] that answers as
// GitLab does, with its faults and its quirks, for tests, the demo and
// benchmarks.
//
//	World     what the instance holds: projects, pipelines, jobs, tokens (package world)
//	Options   what the instance is: its version, licence, how it serves bytes
//	Limits    its rate limits; [Server.Counts] counts requests by what they are for
//	Fault     what goes wrong, on which requests
//	Start     a server for GitLab and one for object storage, on loopback
//	Running   such a server; its Env has the variables of a job
//
// Versions of GitLab differ by the features in the table of versions.go. Where the
// sources leave a question open, marked (U), an option gives the other answer:
// [Options.Since] for a feature, an option of its own for anything else.
//
// What changes something does change the world: an erased job has no archive, a
// retried one a successor. Time passes by being looked at: a job with FinishAfter
// has finished after so many requests that saw it. [Server.Update] changes
// anything else between two requests. Each request has the world to itself until
// its answer is made; bodies are sent without.
//
// It follows the server, never a client's wishes. A rule that could be doubted
// names its source: a page of https://docs.gitlab.com, or a file of GitLab's
// source (https://gitlab.com/gitlab-org/gitlab), such as
// lib/api/ci/job_artifacts.rb.
package gitlabtest
