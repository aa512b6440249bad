// Package world is what a simulated GitLab holds: projects, pipelines, jobs,
// artifacts, merge requests and commits, and the rules of GitLab's models and
// finders about them. It is plain data and knows nothing of HTTP, versions or
// callers; package gitlabtest serves it.
//
// Each rule that could be doubted names its source, a file of
// https://gitlab.com/gitlab-org/gitlab or a page of https://docs.gitlab.com.
package world
