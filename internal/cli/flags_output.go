package cli

import (
	"cmp"
	"context"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/atomicfile"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/dotenv"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

// logFlags say how a long run reports progress.
func logFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "no-progress", Category: help.Output, Usage: "do not show progress", DisableDefaultText: true},
		&cli.BoolFlag{Name: "no-sections", Category: help.Output, Usage: "do not use collapsible sections in job logs", DisableDefaultText: true},
	}
}

// logOptions are the values of [logFlags].
type logOptions struct{ noProgress, noSections bool }

func readLog(c *cli.Context) logOptions {
	return logOptions{c.Bool("no-progress"), c.Bool("no-sections")}
}

func formatFlag() cli.Flag {
	return &cli.StringFlag{Name: "format", Category: help.Output, Usage: "`FORMAT` of the result: text or json", DefaultText: "text"}
}

// wantsJSON reads --format.
func wantsJSON(c *cli.Context) (bool, error) {
	switch format := c.String("format"); format {
	case "", "text":
		return false, nil
	case "json":
		return true, nil
	}
	return false, usage("--format must be text or json", "leave it out for text")
}

// serverFlag makes GitLab read the archive; usage says what for.
func serverFlag(usage string) cli.Flag {
	return &cli.BoolFlag{Name: "server", Category: help.Transfer, Usage: usage, DisableDefaultText: true}
}

func readSource(c *cli.Context) retrieve.Source {
	if c.Bool("server") {
		return retrieve.FromGitLab
	}
	return retrieve.FromArchive
}

// checkReports refuses flags that don't apply to reports.
func checkReports(reports []string, from retrieve.Source) error {
	if len(reports) > 0 && from == retrieve.FromGitLab {
		return usage("--server and --report exclude each other", "GitLab only lists archives: leave out --server")
	}
	return nil
}

func yesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask for confirmation", DisableDefaultText: true}
}

func readYes(c *cli.Context) bool { return c.Bool("yes") }

// errDeclined ends a run after the user has answered no.
var errDeclined = usage("not confirmed: nothing was changed", "answer y, or use --yes")

// canAsk returns an error if a command needs a confirmation and can't ask at a terminal:
// then only --yes will do.
func (s *session) canAsk(given bool, command string) error {
	if given || s.con.Attended() {
		return nil
	}
	return usage(command+" asks for confirmation, which needs a terminal", "use --yes to confirm")
}

// confirm asks the user at the terminal, unless --yes is given.
func (s *session) confirm(ctx context.Context, given bool, question string) error {
	if given {
		return nil
	}
	yes, err := s.con.Confirm(ctx, question)
	if err == nil && !yes {
		return errDeclined
	}
	return failure.Unchanged(err)
}

func dotenvFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "dotenv", Category: help.Output, Usage: "write a dotenv report (ARTIFACT_JOB_ID, …) to `FILE`"},
		&cli.StringFlag{Name: "dotenv-prefix", Category: help.Output, Usage: "start the names of these variables with `NAME`", DefaultText: dotenv.DefaultPrefix},
	}
}

// readDotenv reads --dotenv and --dotenv-prefix.
func readDotenv(c *cli.Context) (dotenv.Report, error) {
	r := dotenv.Report{File: c.String("dotenv"), Prefix: cmp.Or(c.String("dotenv-prefix"), dotenv.DefaultPrefix)}
	return r, r.Check()
}

// writeReport writes variables for later jobs, and warns about unknown values.
// https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv
func (s *session) writeReport(ctx context.Context, r dotenv.Report, list []dotenv.Variable, found []resolve.Artifact) error {
	if r.File == "" {
		return nil
	}
	if err := r.Fits(list); err != nil {
		return err
	}
	causes := r.Unknown(found)
	for _, cause := range slices.Sorted(maps.Keys(causes)) {
		s.log.Warn().Strs("variables", causes[cause]).Str("because", cause).Msg("the dotenv report has empty values")
	}
	return r.Write(ctx, list)
}

// archiveFlag makes fetch write archives without extracting them.
func archiveFlag() cli.Flag {
	return &cli.StringFlag{Name: "archive", Category: help.Select, Usage: "don't extract: write the archive to `FILE`, which may contain {job} and {report}, or to - (stdout)"}
}

// archiveOptions is the value of [archiveFlag].
type archiveOptions struct {
	file   string // may contain words in braces; empty means to extract
	stream bool   // to something that can't be replaced, such as standard output
}

// aboutFiles are the flags about an archive's files, which aren't extracted.
var aboutFiles = []string{"include", "exclude", "output", "strip-components", "flat", "unpack", "symlinks", "allow-git", "verify-provenance", "max-bytes", "max-files", "max-ratio"}

// aboutResult are the flags that don't apply if the archive goes to standard output.
var aboutResult = []string{"on-conflict", "umask", "format", "dotenv"}

// readArchive reads --archive, and refuses flags that don't apply with it. It ignores
// those that a variable sets, which may be meant for other calls.
func readArchive(c *cli.Context) (o archiveOptions, err error) {
	if o.file = c.String("archive"); o.file == "" {
		return o, nil
	}
	typed := func(name string) bool { return c.IsSet(name) && os.Getenv(envName(name)) == "" }
	if i := slices.IndexFunc(aboutFiles, typed); i >= 0 {
		return o, usage("--archive writes the archive itself: --"+aboutFiles[i]+" has no effect with it", "leave out one of them")
	}
	if c.Args().Present() {
		return o, usage("--archive writes the whole archive: it takes no PATH", "leave out the paths, or --archive to extract them")
	}
	if strings.HasSuffix(o.file, "/") {
		return o, usage("--archive names a directory", "name a file in it: "+o.file+"{job}.zip")
	}
	if o.stream = o.file == "-"; !o.stream && !strings.ContainsAny(o.file, "{}") {
		target, err := atomicfile.Target(o.file)
		if err != nil {
			return o, err
		}
		if o.stream = target == ""; !o.stream {
			o.file = target
		}
	}
	if i := slices.IndexFunc(aboutResult, typed); o.stream && i >= 0 {
		return o, usage("--archive "+o.file+" writes nothing but the archive: --"+aboutResult[i]+" has no effect with it", "give --archive the name of a file")
	}
	return o, nil
}

// shown describes an archive's file for people.
func (o archiveOptions) shown(file string) string {
	switch {
	case o.file == "-":
		return "standard output"
	case o.stream:
		return o.file
	}
	return file
}

// check refuses to write an archive to a terminal.
func (o archiveOptions) check(con *console.Console) error {
	if o.file == "-" && con.OutIsTerminal() {
		return usage("--archive - would write the archive to the terminal", "redirect standard output, or give --archive the name of a file")
	}
	return nil
}
