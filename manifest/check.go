package manifest

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"gitlab.com/artifetch/artifetch/internal/digest"
	"gitlab.com/artifetch/artifetch/resolve"
)

// check checks what a schema can't.
func (r *reader) check(m *Manifest, root *yaml.Node) error {
	switch {
	case m.Version == 0:
		return r.fail(root, "version is missing", "write version: 1 at the top")
	case m.Version != Version:
		return r.fail(root, fmt.Sprintf("version %d is not known", m.Version), "this program knows version 1; a newer one may know more")
	case len(m.Sources) == 0 && !keysOf(root)["sources"]:
		return r.fail(root, "there are no sources", "list them below sources:; an empty list is []")
	}
	names := map[string]bool{}
	for i := range m.Sources {
		s := &m.Sources[i]
		s.Query = s.over(m.Defaults)
		if slices.Equal(s.Ref, []string{""}) {
			s.Ref = nil // ref: "" overrides a default
		}
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

// over adds the defaults for keys that the source doesn't have. A key of the source
// counts even if its value is false, 0 or an empty list.
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

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// mistake returns what is wrong with a source, and how to fix it, or "".
func (s *Source) mistake() (what, fix string) {
	if what, fix := s.mistakenName(); what != "" {
		return what, fix
	}
	for _, find := range []func() (what, fix string){s.mistakenQuery, s.mistakenFiles} {
		if what, fix := find(); what != "" {
			return fmt.Sprintf("source %q %s", s.Name, what), fix
		}
	}
	return "", ""
}

func (s *Source) mistakenName() (what, fix string) {
	switch {
	case s.Name == "":
		return "a source has no name", "add name:, by which the lock file identifies it"
	case !plainName.MatchString(s.Name):
		return fmt.Sprintf("%q isn't a valid name for a source", s.Name), "use letters, digits, dots, dashes and underscores"
	case s.isCommand():
		return fmt.Sprintf("%q isn't a valid name for a source", s.Name), "it is a command: choose another name"
	}
	return "", ""
}

// isCommand reports whether a source's name is a subcommand of sync, which would be
// ambiguous.
func (s *Source) isCommand() bool { return slices.Contains([]string{"init", "add", "remove"}, s.Name) }

// mistakenQuery checks the keys that select a job.
func (s *Source) mistakenQuery() (what, fix string) {
	q := s.JobQuery()
	switch {
	case strings.Contains(s.Project, ":"): // no path contains one
		return "has an address as its project", "write its id or full path, such as group/app: the server isn't chosen in the manifest"
	case slices.Contains(s.Ref, ""):
		return "has an empty ref", "give it the name of a branch or tag, or leave it out"
	case slices.Contains([]string{"current", "upstream", "root"}, s.Pipeline):
		return fmt.Sprintf("is for the %s pipeline", s.Pipeline), "it is another one in each run, so it can't be locked"
	case s.Pipeline != "" && s.Pipeline != latest && q.PipelineID <= 0:
		return fmt.Sprintf("has the pipeline %q", s.Pipeline), "write its id, which is the number in its address, or latest"
	case q.Globs():
		return "has a glob for a job", "a source is one archive: list the jobs one by one"
	}
	if e, ok := errors.AsType[*resolve.QueryError](q.Validate()); ok {
		return s.inKeys(e)
	}
	return "", ""
}

// keys are a manifest's keys for the fields of a query.
var keys = map[resolve.Field]string{
	resolve.FieldJobID: "job-id", resolve.FieldPipelineID: "pipeline", resolve.FieldLatest: "pipeline", resolve.FieldSHA: "sha", resolve.FieldMergeRequest: "mr",
	resolve.FieldRecent: "recent", resolve.FieldAnyPipeline: "any-pipeline", resolve.FieldRequireSuccess: "require-success", resolve.FieldAnyStatus: "any-status",
}

// inKeys describes a mistake in a query with the keys of a manifest.
func (s *Source) inKeys(e *resolve.QueryError) (what, fix string) {
	first := e.Fields[0]
	switch {
	case e.Problem == resolve.ProblemConflict:
		return conflictInKeys(first, e.Fields[len(e.Fields)-1])
	case slices.Contains(e.Fields, resolve.FieldJobs):
		return "names no job", "add job: and ref:, or job-id:"
	case slices.Contains(e.Fields, resolve.FieldRef):
		return "has no ref", "add a branch or tag: ref has no default here, so that the result doesn't depend on the running pipeline"
	case first == resolve.FieldProject:
		return "has no project", "add project: with an id or a full path such as group/app, here or below defaults:"
	case first == resolve.FieldSHA:
		return "has a sha that isn't a full commit SHA", "GitLab does not find pipelines by a short one: git rev-parse " + s.SHA
	case first == resolve.FieldReports:
		return fmt.Sprintf("has the report %q", s.Report), "name one type, such as junit, or leave it out for the archive; a log is not a report"
	case first == resolve.FieldSources:
		return fmt.Sprintf("has an unknown source of pipelines: %q", s.Sources), "use one of " + strings.Join(resolve.Sources(), ", ") + ", except parent_pipeline; ! in front means any other"
	}
	return "has a negative number", "ids start at 1"
}

// conflictInKeys describes two keys that exclude each other.
func conflictInKeys(first, last resolve.Field) (what, fix string) {
	switch {
	case first == resolve.FieldJobID:
		return "has a job-id and other keys that select a job", "use job-id alone; keys in defaults count, too"
	case last == resolve.FieldRef:
		return "has both " + keys[first] + " and ref", "leave one of them out; only pipeline: latest goes with ref; keys in defaults count, too"
	case last == resolve.FieldAnyStatus || last == resolve.FieldRecent:
		return "has both " + keys[first] + " and " + keys[last], "they exclude each other; keys in defaults count, too"
	}
	return "selects a pipeline in several ways", "keep one of pipeline, sha and mr"
}

// mistakenFiles checks the keys about files.
func (s *Source) mistakenFiles() (what, fix string) {
	switch {
	case s.StripComponents < 0:
		return "has a negative strip-components", "it is how many directories to leave out; 0 means none"
	case s.Output == "~" || strings.HasPrefix(s.Output, "~/"):
		return "has an output that begins with ~, which isn't expanded", "all sources go below the manifest's directory"
	case leadsOut(s.Output):
		return "has an output outside the manifest's directory", "all sources go below it, so that they can be committed together"
	case !slices.Contains([]string{"", "fail", "warn", "ignore"}, s.IfMissing):
		return "has an if-missing that isn't fail, warn or ignore", "leave it out to fail"
	}
	if _, ok := digest.Parse(s.SHA256); s.SHA256 != "" && !ok {
		return "has a sha256 that isn't a SHA-256", "it has 64 hexadecimal digits"
	}
	return "", ""
}

// leadsOut reports whether a relative directory leads out of its base.
func leadsOut(dir string) bool {
	return path.IsAbs(dir) || filepath.IsAbs(dir) || slices.Contains(strings.FieldsFunc(dir, func(r rune) bool { return r == '/' || r == '\\' }), "..")
}
