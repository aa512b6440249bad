// Package world is the content of a simulated GitLab: projects, pipelines, jobs,
// artifacts, merge requests and commits, and the rules of GitLab's models and finders
// about them. It is plain data without HTTP, versions or callers; package gitlabtest
// serves it.
//
// A rule that a reader might doubt names its source, a file of
// https://gitlab.com/gitlab-org/gitlab or a page of https://docs.gitlab.com.
package world
