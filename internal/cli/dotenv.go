package cli

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/resolve"
)

func dotenvFlag() cli.Flag {
	return &cli.StringFlag{Name: "dotenv", Category: categoryOutput, Usage: "write ARTIFETCH_JOB_ID and the like to `FILE`, for artifacts:reports:dotenv"}
}

// variable is one line of a report for later jobs.
type variable struct{ name, value string }

// variables tell which jobs were found. Of several the values are joined by commas, in
// the same order; what is the same for all is not repeated.
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
		{"PROJECT", shared(func(a resolve.Artifact) string { return a.Project })},
		{"PIPELINE_ID", shared(func(a resolve.Artifact) string { return id(a.PipelineID) })},
		{"REF", shared(func(a resolve.Artifact) string { return a.Ref })},
		{"SHA", shared(func(a resolve.Artifact) string { return a.SHA })},
		{"JOB_ID", strings.Join(each(found, func(a resolve.Artifact) string { return id(a.JobID) }), ",")},
		{"DIGEST", strings.Join(each(found, func(a resolve.Artifact) string { return a.SHA256 }), ",")},
	}
}

// variables adds what has arrived, and where.
func (f *fetcher) variables() []variable {
	found := each(f.done, func(r result) resolve.Artifact { return r.artifact })
	return append(variables(found),
		variable{"FILES", strings.Join(each(f.done, func(r result) string { return strconv.Itoa(r.files.Files) }), ",")},
		variable{"PATH", strings.Join(each(f.done, func(r result) string { return f.place.of(r.artifact) }), ",")})
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
func dotenvText(list []variable) (string, error) {
	var b strings.Builder
	for _, v := range list {
		if !utf8.ValidString(v.value) || strings.ContainsFunc(v.value, unicode.IsControl) || strings.TrimSpace(v.value) != v.value {
			return "", &usageError{fmt.Sprintf("--dotenv cannot hold ARTIFETCH_%s: %q", v.name, v.value), "GitLab reads one line a variable, without quotes; use a name without line breaks, and without blanks at its ends"}
		}
		_, _ = fmt.Fprintf(&b, "ARTIFETCH_%s=%s\n", v.name, strings.ReplaceAll(v.value, "$", "$$"))
	}
	if b.Len() >= maxDotenv {
		return "", &usageError{fmt.Sprintf("--dotenv would have %d bytes, and GitLab takes less than %d", b.Len(), maxDotenv), "name fewer jobs, or use --format json"}
	}
	return b.String(), nil
}

// writeDotenv writes variables for later jobs.
// https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv
func writeDotenv(file string, list []variable) error {
	text, err := dotenvText(list)
	if err != nil || file == "" {
		return err
	}
	return wholeFile(file, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}
