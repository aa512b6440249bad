// Package gitlabtest is a simulated GitLab: an [http.Handler] that answers as
// GitLab does, with its faults and its quirks, for tests, the demo and
// benchmarks.
//
//	World     what the instance holds: projects, pipelines, jobs, tokens
//	Options   what the instance is: its version, licence, how it serves bytes
//	Fault     what goes wrong, on which requests
//	Start     a server for GitLab and one for object storage, on loopback
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
