// Package resolve finds the jobs that a query means, and where their archives can
// be had. It climbs a ladder from the cheapest rung to the fullest; which rungs
// are open depends on the token's kind and the server's version, so a refusal
// is a reason to try the next rung and not an error. A refusal is remembered.
//
//	Artifacts(query):
//	  job id             → that job; no request at all
//	  ref and names      → list the newest successful pipeline of the ref and its
//	                       jobs, then its children, by the server's own rules, so
//	                       that everything later speaks of one job
//	                       not allowed → the by-ref route, where the server decides
//	  with Recent        → the same for older successful pipelines, until one has
//	                       the jobs
//	  a pipeline, commit,
//	  merge request      → that pipeline's tree: parent before child, the newest
//	                       child first
//	                       not allowed → the project's list of jobs, where children
//	                       are told by their source and commit
//	Fallback(artifact, refusal), after its download was refused:
//	  job token and "404 Project Not Found" →
//	    job known   → the runner's own route, which asks for no licence
//	    job unknown → find it in the project's list of jobs, then that route
//	  otherwise     → the refusal, explained
//
// The server's rules: https://docs.gitlab.com/api/job_artifacts/ and, for the
// choice of pipeline and job, Project#latest_successful_build_for_ref with
// Ci::Pipeline#build_with_artifacts_in_self_and_project_descendants in GitLab's
// source (app/models/project.rb, app/models/ci/pipeline.rb).
package resolve
