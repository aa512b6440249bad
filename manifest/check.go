package manifest

import (
	"fmt"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// check holds what a schema cannot.
func (r *reader) check(m *Manifest, root *yaml.Node) error {
	switch {
	case m.Version == 0:
		return r.fail(root, "version is missing", "write version: 1 at the top")
	case m.Version != Version:
		return r.fail(root, fmt.Sprintf("version %d is not known", m.Version), "this program knows version 1; a newer one may know more")
	case len(m.Sources) == 0:
		return r.fail(root, "there are no sources", "list at least one below sources:")
	}
	names := map[string]bool{}
	for i := range m.Sources {
		s := &m.Sources[i]
		s.Query = s.over(m.Defaults)
		at := &yaml.Node{Line: s.line, Column: s.column}
		if what, fix := s.mistake(); what != "" {
			return r.fail(at, what, fix)
		}
		if names[s.Name] {
			return r.fail(at, fmt.Sprintf("there are two sources called %q", s.Name), "the lock file tells them apart by their names")
		}
		names[s.Name] = true
	}
	return nil
}

// over fills in what the source does not say. What it says counts, also if that is
// false, 0 or an empty list.
func (s *Source) over(defaults Query) Query {
	q := s.Query
	v, d := reflect.ValueOf(&q).Elem(), reflect.ValueOf(defaults)
	for i := range v.NumField() {
		if !s.given[keyOf(v.Type().Field(i))] {
			v.Field(i).Set(d.Field(i))
		}
	}
	return q
}

var (
	digest    = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
	fullSHA   = regexp.MustCompile(`^([0-9a-fA-F]{40}|[0-9a-fA-F]{64})$`)
	plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
)

// mistake says what is wrong with a source, and what to do.
func (s *Source) mistake() (what, fix string) {
	pipelines := 0
	for _, given := range []bool{s.Pipeline != "", s.SHA != "", s.MR != 0} {
		if given {
			pipelines++
		}
	}
	switch {
	case s.Name == "":
		return "a source has no name", "give it one by name:, under which the lock file knows it"
	case !plainName.MatchString(s.Name):
		return fmt.Sprintf("%q is no name for a source", s.Name), "letters, digits, dots, dashes and underscores"
	case s.JobID < 0 || s.MR < 0 || s.StripComponents < 0:
		return fmt.Sprintf("source %q has a negative number", s.Name), "ids count from 1"
	case s.JobID != 0 && (s.Job != "" || s.Ref != "" || pipelines > 0):
		return fmt.Sprintf("source %q has a job-id and another way to say which job", s.Name), "job-id says it alone; what defaults say counts, too"
	case s.JobID == 0 && s.Job == "":
		return fmt.Sprintf("source %q names no job", s.Name), "give it job: with ref:, or job-id:"
	case strings.ContainsAny(s.Job, "*?{"):
		return fmt.Sprintf("source %q has a glob for a job", s.Name), "a source is one archive: list the jobs one by one"
	case pipelines > 1:
		return fmt.Sprintf("source %q says in several ways which pipeline", s.Name), "keep one of pipeline, sha and mr"
	case s.Pipeline == "current":
		return fmt.Sprintf("source %q is of the current pipeline", s.Name), "that is another one in each run, so that it cannot be locked"
	case leadsOut(s.Output):
		return fmt.Sprintf("source %q: output leads out of the manifest's directory", s.Name), "all sources go below it, so that they can be put into place together"
	case s.SHA != "" && !fullSHA.MatchString(s.SHA):
		return fmt.Sprintf("source %q has no full commit SHA", s.Name), "GitLab does not find pipelines by a short one: git rev-parse " + s.SHA
	case s.SHA256 != "" && !digest.MatchString(s.SHA256):
		return fmt.Sprintf("source %q has no SHA-256", s.Name), "it has 64 hexadecimal digits"
	case !slices.Contains([]string{"", "fail", "warn", "ignore"}, s.IfMissing):
		return fmt.Sprintf("source %q: if-missing is none of fail, warn, ignore", s.Name), "leave it out to fail"
	case s.Ref == "" && s.JobID == 0 && (pipelines == 0 || s.Pipeline == "latest"):
		return fmt.Sprintf("source %q has no ref", s.Name), "give it a branch or tag: what runs where is no default here, so that the result is the same everywhere"
	}
	return "", ""
}

// leadsOut reports whether a directory is not below the one that it is relative to.
func leadsOut(dir string) bool {
	return path.IsAbs(dir) || filepath.IsAbs(dir) || slices.Contains(strings.FieldsFunc(dir, func(r rune) bool { return r == '/' || r == '\\' }), "..")
}
