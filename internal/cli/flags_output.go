package cli

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/cli/internal/dotenv"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

// logFlags say how a long run shows what it does.
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

// serverFlag lets GitLab look into an archive; usage says how.
func serverFlag(usage string) cli.Flag {
	return &cli.BoolFlag{Name: "server", Category: help.Transfer, Usage: usage, DisableDefaultText: true}
}

func readSource(c *cli.Context) retrieve.Source {
	if c.Bool("server") {
		return retrieve.FromGitLab
	}
	return retrieve.FromArchive
}

func yesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask for confirmation", DisableDefaultText: true}
}

func readYes(c *cli.Context) bool { return c.Bool("yes") }

// errDeclined ends a run that the user did not want.
var errDeclined = usage("not confirmed: nothing was deleted", "answer y, or give --yes")

// confirm asks the person at the terminal, unless --yes is given.
func (s *session) confirm(ctx context.Context, given bool, question string) error {
	if given {
		return nil
	}
	yes, err := s.con.Confirm(ctx, question)
	if err == nil && !yes {
		return errDeclined
	}
	return err
}

func dotenvFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "dotenv", Category: help.Output, Usage: "write ARTIFACT_JOB_ID and others to `FILE`, for artifacts:reports:dotenv"},
		&cli.StringFlag{Name: "dotenv-prefix", Category: help.Output, Usage: "start the names of these variables with `NAME`", DefaultText: dotenv.DefaultPrefix},
	}
}

// readDotenv reads --dotenv and --dotenv-prefix.
func readDotenv(c *cli.Context) (dotenv.Report, error) {
	r := dotenv.Report{File: c.String("dotenv"), Prefix: cmp.Or(c.String("dotenv-prefix"), dotenv.DefaultPrefix)}
	return r, r.Check()
}

// writeReport writes variables for later jobs, and warns of those that are unknown.
// https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv
func (s *session) writeReport(r dotenv.Report, list []dotenv.Variable, found []resolve.Artifact) error {
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
	return r.Write(list)
}
