// Package dotenv writes the report that GitLab reads as variables for later jobs
// (artifacts:reports:dotenv): artifacts → variables → lines → file. GitLab sets them in
// all later jobs, where they override the job's own variables, so they must not be
// variables that artifetch reads.
// https://docs.gitlab.com/ci/variables/#cicd-variable-precedence
package dotenv

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gitlab.com/artifetch/artifetch/internal/atomicfile"
	"gitlab.com/artifetch/artifetch/internal/printable"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Report says which report to write.
type Report struct {
	File   string // empty means none
	Prefix string // of all names
}

// Error reports values that a report can't contain.
type Error struct{ What, Fix string }

// Error implements error.
func (e *Error) Error() string { return e.What }

// Hint says what to do next.
func (e *Error) Hint() string { return e.Fix }

// DefaultPrefix is the prefix if the report has none.
const DefaultPrefix = "ARTIFACT_"

// flags is the prefix of the flags' variables.
const flags = "ARTIFETCH_"

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// checkPrefix refuses prefixes that give invalid names of variables, or those of
// artifetch or GitLab. Windows ignores case in names of variables.
func checkPrefix(prefix string) error {
	if !variableName.MatchString(prefix) {
		return &Error{fmt.Sprintf("--dotenv-prefix %q cannot start the name of a variable", prefix), "use letters, digits and underscores, and no digit first"}
	}
	for reserved, whose := range map[string]string{flags: "artifetch reads as its flags", "CI_": "GitLab sets", "GITLAB_": "GitLab sets"} {
		if strings.HasPrefix(strings.ToUpper(prefix), reserved) {
			return &Error{fmt.Sprintf("--dotenv-prefix %s makes variables that %s", prefix, whose), "use another one, such as LIB_: all later jobs get these variables"}
		}
	}
	return nil
}

// Variable is one line of a report, without the prefix.
type Variable struct{ Name, Value string }

// Variables describes the jobs that were found, even if there are none. The values of
// several jobs are joined by commas, in the same order; values that are the same for all
// appear once. Each job counts once, even with several reports; each of these has its own
// digest.
func Variables(found []resolve.Artifact) []Variable {
	jobs := slices.CompactFunc(slices.Clone(found), func(a, b resolve.Artifact) bool {
		return a.Report.Type != "" && a.Project == b.Project && a.JobID == b.JobID
	})
	shared := func(value func(resolve.Artifact) string) string {
		values := each(jobs, value)
		if same := slices.Compact(slices.Clone(values)); len(same) == 1 {
			return same[0]
		}
		return strings.Join(values, ",")
	}
	digests := strings.Join(each(found, func(a resolve.Artifact) string { return a.SHA256 }), ",")
	if strings.Trim(digests, ",") == "" {
		digests = ""
	}
	id := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	return []Variable{
		{"FOUND", strconv.FormatBool(len(found) > 0)},
		{"PROJECT", shared(func(a resolve.Artifact) string { return a.Project })},
		{"PIPELINE_ID", shared(func(a resolve.Artifact) string { return id(a.PipelineID) })},
		{"REF", shared(func(a resolve.Artifact) string { return a.Ref })},
		{"SHA", shared(func(a resolve.Artifact) string { return a.SHA })},
		{"STATUS", strings.Join(each(jobs, func(a resolve.Artifact) string { return a.Status }), ",")},
		{"JOB_ID", strings.Join(each(jobs, func(a resolve.Artifact) string { return id(a.JobID) }), ",")},
		{"DIGEST", digests},
	}
}

// Fetched adds the downloaded files and where they are.
func Fetched(into retrieve.Output, done []retrieve.Result) []Variable {
	return append(Variables(Artifacts(done)),
		Variable{"FILES", strings.Join(each(done, func(r retrieve.Result) string { return strconv.Itoa(r.Stats.Files) }), ",")},
		Variable{"PATH", strings.Join(each(done, func(r retrieve.Result) string { return into.Of(r.Artifact) }), ",")})
}

// Artifacts returns the artifacts whose files were downloaded.
func Artifacts(done []retrieve.Result) []resolve.Artifact {
	return each(done, func(r retrieve.Result) resolve.Artifact { return r.Artifact })
}

// Unknown explains why values of a report are empty: the names, by cause.
func (r Report) Unknown(found []resolve.Artifact) map[string][]string {
	causes := map[string][]string{}
	add := func(cause, name string, known bool) {
		if !known && !slices.Contains(causes[cause], r.Prefix+name) {
			causes[cause] = append(causes[cause], r.Prefix+name)
		}
	}
	for _, a := range found {
		cause := "GitLab doesn't say which pipeline the job belongs to"
		switch a.Found {
		case resolve.ByRef:
			cause = "this token can't list jobs, and GitLab doesn't say which job it chose for the ref"
		case resolve.ByID:
			cause = "this token can't look up a job by its ID"
		}
		add(cause, "PIPELINE_ID", a.PipelineID != 0)
		add(cause, "REF", a.Ref != "")
		add(cause, "SHA", a.SHA != "")
		add(cause, "STATUS", a.Status != "")
		add(cause, "JOB_ID", a.JobID != 0)
		add("GitLab sent no SHA-256, and artifetch didn't need the whole archive", "DIGEST", a.SHA256 != "")
	}
	return causes
}

func each[A, B any](list []A, of func(A) B) []B {
	values := make([]B, len(list))
	for i, v := range list {
		values[i] = of(v)
	}
	return values
}

// maxSize is the default limit in bytes: GitLab accepts smaller reports.
// https://docs.gitlab.com/administration/instance_limits/#limit-dotenv-file-size
const maxSize = 5 << 10

// text formats the variables for GitLab's parser: a line is a name, an equals sign and
// the literal value, without spaces at its ends. The parser knows neither quotes nor empty
// lines; a value may be empty (app/services/ci/parse_dotenv_artifact_service.rb). GitLab
// expands variables in it: a ref with $CI_JOB_TOKEN in its name must not be expanded, so
// dollar signs are doubled (https://docs.gitlab.com/ci/variables/).
func (r Report) text(list []Variable) (string, error) {
	var b strings.Builder
	for _, v := range list {
		if !utf8.ValidString(v.Value) || printable.HasHidden(v.Value) || strings.TrimSpace(v.Value) != v.Value {
			return "", &Error{fmt.Sprintf("--dotenv cannot hold %s%s: %q", r.Prefix, v.Name, v.Value), "GitLab reads one line per variable, without quotes; use a name without line breaks, and without spaces at either end"}
		}
		_, _ = fmt.Fprintf(&b, "%s%s=%s\n", r.Prefix, v.Name, strings.ReplaceAll(v.Value, "$", "$$"))
	}
	if b.Len() >= maxSize {
		return "", &Error{fmt.Sprintf("--dotenv would have %d bytes, but GitLab takes less than %d", b.Len(), maxSize), "name fewer jobs, or use --format json"}
	}
	return b.String(), nil
}

// Check checks whether the report can be written, before there is anything to write.
func (r Report) Check() error {
	if err := checkPrefix(r.Prefix); err != nil || r.File == "" {
		return err
	}
	return atomicfile.Check(r.File)
}

// Fits returns an error if the report can't contain the variables.
func (r Report) Fits(list []Variable) error {
	if r.File == "" {
		return nil
	}
	_, err := r.text(list)
	return err
}

// Write writes the report.
func (r Report) Write(ctx context.Context, list []Variable) error {
	text, err := r.text(list)
	if err != nil {
		return err
	}
	return atomicfile.Write(ctx, r.File, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}
