package cli

import (
	"context"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/retrieve"
)

// logFlags say how a run that takes its time tells what it does.
func logFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "no-progress", Category: categoryOutput, Usage: "show no progress", DisableDefaultText: true},
		&cli.BoolFlag{Name: "no-sections", Category: categoryOutput, Usage: "make no sections in job logs", DisableDefaultText: true},
	}
}

// logOptions are the values of [logFlags].
type logOptions struct{ noProgress, noSections bool }

func readLog(c *cli.Context) logOptions {
	return logOptions{c.Bool("no-progress"), c.Bool("no-sections")}
}

func formatFlag() cli.Flag {
	return &cli.StringFlag{Name: "format", Category: categoryOutput, Usage: "`FORMAT` of the result: text or json", DefaultText: "text"}
}

// wantsJSON reads --format.
func wantsJSON(c *cli.Context) (bool, error) {
	switch format := c.String("format"); format {
	case "", "text":
		return false, nil
	case "json":
		return true, nil
	}
	return false, usage("--format is neither text nor json", "leave it out for text")
}

// serverFlag lets GitLab look into an archive; usage says how.
func serverFlag(usage string) cli.Flag {
	return &cli.BoolFlag{Name: "server", Category: categoryTransfer, Usage: usage, DisableDefaultText: true}
}

func readSource(c *cli.Context) retrieve.Source {
	if c.Bool("server") {
		return retrieve.FromGitLab
	}
	return retrieve.FromArchive
}

func yesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask", DisableDefaultText: true}
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
