// Package resolve finds the jobs for a query, and where to download their archives. It
// tries the cheapest way first. Which ways work depends on the kind of token and the
// version of the server, so a refusal means to try the next way; the Resolver remembers
// it and doesn't ask again.
//
//	Artifacts(query):
//	  job ID             → that job; no request at all
//	  ref and names      → list the newest successful pipeline of the ref and its
//	                       jobs, then its children, by the server's own rules, so
//	                       that all later requests are about one job
//	                       not allowed → the by-ref route, where the server chooses
//	  with Recent        → the same for older successful pipelines, until one has
//	                       the jobs
//	  several refs       → the same for each, until one has the jobs; if nothing can be
//	                       listed, one byte of each ref's archive is requested, so
//	                       the ref is known before the download
//	  a pipeline, commit,
//	  merge request      → the tree of that pipeline: parent before child, the newest
//	                       child first
//	                       not allowed → the project's list of jobs, where children
//	                       are recognized by their source and commit
//	Fallback(artifact, refusal), after its download was refused:
//	  job token and "404 Project Not Found" →
//	    job known   → the route for runners, which needs no license
//	    job unknown → find it in the project's list of jobs, then that route
//	  otherwise     → the refusal, explained
//
// The files: query.go and validate.go define the query. resolve.go chooses between ref.go
// (the newest successful pipeline), tree.go (a pipeline and its children) and project.go
// (the project's list of jobs). These read lists.go and offer each job to a picker
// (picker.go), which makes artifacts (artifact.go) of the matching ones. refs.go tries
// several refs and looks up default branches; roots.go finds the pipelines of a commit or
// merge request, and the root of a child pipeline. fallback.go and interpret.go handle
// refusals, explain.go and mergerequest.go look for their reasons.
//
// The server's rules: https://docs.gitlab.com/api/job_artifacts/ and, for the choice of
// pipeline and job, Project#latest_successful_build_for_ref with
// Ci::Pipeline#build_with_artifacts_in_self_and_project_descendants in GitLab's source
// (app/models/project.rb, app/models/ci/pipeline.rb).
package resolve
