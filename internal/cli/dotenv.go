package cli

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rs/zerolog"
	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/atomicfile"
	"gitlab.com/artifetch/artifetch/internal/printable"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

func dotenvFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "dotenv", Category: categoryOutput, Usage: "write ARTIFACT_JOB_ID and others to `FILE`, for artifacts:reports:dotenv"},
		&cli.StringFlag{Name: "dotenv-prefix", Category: categoryOutput, Usage: "start the names of these variables with `NAME`", DefaultText: defaultPrefix},
	}
}

// dotenv is the report that --dotenv asks for: variables for later jobs. GitLab
// gives them to all later jobs, above the variables that those set themselves, so
// that none of them may be one that artifetch reads.
// https://docs.gitlab.com/ci/variables/#cicd-variable-precedence
type dotenv struct {
	file   string // empty means none
	prefix string // of all names
}

const defaultPrefix = "ARTIFACT_"

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// readDotenv reads --dotenv and --dotenv-prefix. A file that cannot be written is an
// error before there is something to write.
func readDotenv(c *cli.Context) (dotenv, error) {
	d := dotenv{file: c.String("dotenv"), prefix: cmp.Or(c.String("dotenv-prefix"), defaultPrefix)}
	if err := checkPrefix(d.prefix); err != nil || d.file == "" {
		return d, err
	}
	return d, atomicfile.Check(d.file)
}

// checkPrefix refuses prefixes that make what is no variable, or one that steers
// artifetch or GitLab itself. Windows doesn't tell capitals from small letters.
func checkPrefix(prefix string) error {
	if !variableName.MatchString(prefix) {
		return usage(fmt.Sprintf("--dotenv-prefix %q cannot start the name of a variable", prefix), "use letters, digits and underscores, and no digit first")
	}
	for reserved, whose := range map[string]string{envPrefix: "artifetch reads as its flags", "CI_": "GitLab sets", "GITLAB_": "GitLab sets"} {
		if strings.HasPrefix(strings.ToUpper(prefix), reserved) {
			return usage(fmt.Sprintf("--dotenv-prefix %s makes variables that %s", prefix, whose), "use another one, such as LIB_: all later jobs get these variables")
		}
	}
	return nil
}

// variable is one line of a report, without the prefix.
type variable struct{ name, value string }

// variables tell which jobs were found; of none, that there are none. Of several
// the values are joined by commas, in the same order; what is the same for all
// is not repeated.
func variables(found []resolve.Artifact) []variable {
	shared := func(value func(resolve.Artifact) string) string {
		values := each(found, value)
		if same := slices.Compact(slices.Clone(values)); len(same) == 1 {
			return same[0]
		}
		return strings.Join(values, ",")
	}
	id := func(n int64) string { return strings.TrimSuffix(orUnknown(n), "unknown") }
	return []variable{
		{"FOUND", strconv.FormatBool(len(found) > 0)},
		{"PROJECT", shared(func(a resolve.Artifact) string { return a.Project })},
		{"PIPELINE_ID", shared(func(a resolve.Artifact) string { return id(a.PipelineID) })},
		{"REF", shared(func(a resolve.Artifact) string { return a.Ref })},
		{"SHA", shared(func(a resolve.Artifact) string { return a.SHA })},
		{"JOB_ID", strings.Join(each(found, func(a resolve.Artifact) string { return id(a.JobID) }), ",")},
		{"DIGEST", strings.Join(each(found, func(a resolve.Artifact) string { return a.SHA256 }), ",")},
	}
}

// fetchedVariables adds what has arrived, and where.
func fetchedVariables(into retrieve.Output, done []retrieve.Result) []variable {
	return append(variables(artifactsOf(done)),
		variable{"FILES", strings.Join(each(done, func(r retrieve.Result) string { return strconv.Itoa(r.Stats.Files) }), ",")},
		variable{"PATH", strings.Join(each(done, func(r retrieve.Result) string { return into.Of(r.Artifact) }), ",")})
}

// artifactsOf are the artifacts whose files have arrived.
func artifactsOf(done []retrieve.Result) []resolve.Artifact {
	return each(done, func(r retrieve.Result) resolve.Artifact { return r.Artifact })
}

// unknown says why values of a report are empty: the names, by cause.
func unknown(found []resolve.Artifact) map[string][]string {
	causes := map[string][]string{}
	add := func(cause, name string, known bool) {
		if !known && !slices.Contains(causes[cause], name) {
			causes[cause] = append(causes[cause], name)
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

// maxDotenv is the default limit, in bytes: GitLab takes what is smaller.
// https://docs.gitlab.com/administration/instance_limits/#limit-dotenv-file-size
const maxDotenv = 5 << 10

// dotenvText is what GitLab's parser reads as these variables: a line is a name, an
// equals sign and the value as it stands, without blanks at its ends. There are no
// quotes and no empty lines, and a value may be empty
// (app/services/ci/parse_dotenv_artifact_service.rb). The variables are expanded like
// those of a pipeline's file: a ref with $CI_JOB_TOKEN in its name must not be, so that
// a dollar is doubled (https://docs.gitlab.com/ci/variables/).
func (d dotenv) text(list []variable) (string, error) {
	var b strings.Builder
	for _, v := range list {
		if !utf8.ValidString(v.value) || printable.HasHidden(v.value) || strings.TrimSpace(v.value) != v.value {
			return "", usage(fmt.Sprintf("--dotenv cannot hold %s%s: %q", d.prefix, v.name, v.value), "GitLab reads one line a variable, without quotes; use a name without line breaks, and without blanks at its ends")
		}
		_, _ = fmt.Fprintf(&b, "%s%s=%s\n", d.prefix, v.name, strings.ReplaceAll(v.value, "$", "$$"))
	}
	if b.Len() >= maxDotenv {
		return "", usage(fmt.Sprintf("--dotenv would have %d bytes, and GitLab takes less than %d", b.Len(), maxDotenv), "name fewer jobs, or use --format json")
	}
	return b.String(), nil
}

// write writes variables for later jobs, and warns of those that are unknown.
// https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv
func (d dotenv) write(log zerolog.Logger, list []variable, found []resolve.Artifact) error {
	if d.file == "" {
		return nil
	}
	text, err := d.text(list)
	if err != nil {
		return err
	}
	causes := unknown(found)
	for _, cause := range slices.Sorted(maps.Keys(causes)) {
		names := each(causes[cause], func(name string) string { return d.prefix + name })
		log.Warn().Strs("variables", names).Str("because", cause).Msg("the dotenv report has empty values")
	}
	return atomicfile.Write(d.file, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}
