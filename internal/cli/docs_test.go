package cli

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/jobs"
)

// docs/cli.md and docs/artifetch.1 are generated from the program: its commands, its
// flags, the types that it prints as JSON, its exit codes.
//
//	go test ./internal/cli -run TestDocs -update
func TestDocs(t *testing.T) {
	t.Parallel()
	page := reference()
	for name, want := range map[string]string{"cli.md": "<!-- made by go test ./internal/cli -run TestDocs -update -->\n\n" + page, "artifetch.1": manPage()} {
		file := filepath.Join("..", "..", "docs", name)
		if flag.Lookup("update").Value.String() == "true" {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil { //nolint:gosec // to be read
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("docs/%s is not what the program says (%v): go test ./internal/cli -run TestDocs -update", name, err)
		}
	}
}

// shapes are the types that are printed as JSON.
var shapes = []struct {
	of string
	v  any
}{
	{"`fetch --format json`: a list of", fetchedJob{}},
	{"The elements of these `files`", fetchedFile{}},
	{"`ls --format json`: a list of", listedFile{}},
	{"`resolve --format json`: a list of", resolvedJob{}},
	{"`resolve --format json --if-missing ignore`, or `warn`: one object", resolvedAnswer{}},
	{"`explain --format json`: one object; fields that don't apply are left out", explanation{}},
	{"`jobs --format json`, `keep --format json`: a list of; `jobs --format jsonl`: lines of; `job … --format json`: one object. These fields are always there, beside every other field of GitLab's answer, unchanged, such as `commit`, `pipeline`, `runner`, `project`, `tag_list` and `artifacts_file`", jobs.Row{}},
	{"The elements of these `artifacts`", jobs.File{}},
	{"`doctor --format json`: a list of", finding{}},
	{"`verify --format json`: a list of", difference{}},
	{"`sync --format json`: a list of", syncedSource{}},
	{"These `before` and `after`", syncedJob{}},
}

func reference() string {
	app := newApp(console.New(nil, nil, nil))
	var b strings.Builder
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format, args...) }
	say("# artifetch: commands, flags, output\n\n")
	say("    %s\n\n", app.UsageText)
	say("Every flag `--some-flag` can be given as the variable `ARTIFETCH_SOME_FLAG`; a flag that can be repeated takes one value per line there. ")
	say("The order is: flag, `ARTIFETCH_*`, `GITLAB_TOKEN`, `CI_*`, default. Flags can come before or after arguments.\n\n")
	say("## Flags of every command\n\n")
	b.WriteString(flagList(globalFlags()))
	for _, c := range app.Commands {
		say("## artifetch %s\n\n", c.Name)
		b.WriteString(commandPage(c))
		for _, sub := range c.Subcommands {
			say("### artifetch %s %s\n\n", c.Name, sub.Name)
			b.WriteString(commandPage(sub))
		}
	}
	say("## JSON\n\nNew versions may add fields, but don't rename them or change their types. Times are RFC 3339, IDs are 64-bit integers, and unknown values are null.\n\n")
	for _, shape := range shapes {
		say("%s\n\n%s\n", shape.of, fieldList(shape.v))
	}
	say("## Exit codes\n\nThey are an interface for `allow_failure:exit_codes` and `retry:exit_codes`, and never change.\n\n| code | meaning |\n|---|---|\n")
	meanings := failure.Codes()
	for _, c := range slices.Sorted(func(yield func(failure.Code) bool) {
		for c := range meanings {
			if !yield(c) {
				return
			}
		}
	}) {
		say("| %d | %s |\n", c, meanings[c])
	}
	return b.String()
}

func commandPage(c *cli.Command) string {
	var b strings.Builder
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format, args...) }
	say("    %s\n\n%s%s.", c.UsageText, strings.ToUpper(c.Usage[:1]), c.Usage[1:])
	if len(c.Aliases) > 0 {
		say(" Also: `%s`.", strings.Join(c.Aliases, "`, `"))
	}
	say("\n\n")
	if c.Description != "" {
		for line := range strings.Lines(c.Description) {
			if strings.HasPrefix(line, "  ") { // an example
				say("  %s", line)
			} else {
				b.WriteString(strings.NewReplacer("*", `\*`, "_", `\_`, "[", `\[`).Replace(line))
			}
		}
		say("\n\n")
	}
	b.WriteString(flagList(c.Flags))
	return b.String()
}

func flagList(flags []cli.Flag) string {
	if len(flags) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| flag | meaning | default |\n|---|---|---|\n")
	for _, f := range flags {
		doc, ok := f.(cli.DocGenerationFlag)
		if !ok {
			continue
		}
		placeholder, usage := help.Placeholder(doc.GetUsage())
		var names []string
		for _, name := range f.Names() {
			dashes := "--"
			if len(name) == 1 {
				dashes = "-"
			}
			names = append(names, "`"+dashes+name+"`")
		}
		slices.SortStableFunc(names, func(a, b string) int { return len(a) - len(b) })
		if doc.TakesValue() {
			names[len(names)-1] = strings.TrimSuffix(names[len(names)-1], "`") + " " + placeholder + "`"
		}
		value := doc.GetDefaultText()
		if value == `""` || value == "false" || value == "[]" {
			value = ""
		}
		_, _ = fmt.Fprintf(&b, "| %s | %s | %s |\n", strings.Join(names, ", "), strings.ReplaceAll(usage, "|", `\|`), strings.Trim(value, `"`))
	}
	return b.String() + "\n"
}

// fieldList describes the fields of a type that is printed as JSON.
func fieldList(v any) string {
	var b strings.Builder
	b.WriteString("| field | type | meaning |\n|---|---|---|\n")
	shape := reflect.TypeOf(v)
	for i := range shape.NumField() {
		f := shape.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		_, _ = fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, jsonType(f.Type), f.Tag.Get("doc"))
	}
	return b.String()
}

func jsonType(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Pointer:
		return jsonType(t.Elem()) + " or null"
	case t == reflect.TypeFor[time.Time]():
		return "time"
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Float64:
		return "number"
	case reflect.Bool:
		return "boolean"
	case reflect.Struct:
		return "object"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return "list of objects"
		}
		return "list of " + jsonType(t.Elem()) + "s"
	}
	return "string"
}
