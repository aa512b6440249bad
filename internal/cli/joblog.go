package cli

import (
	"context"
	"errors"
	"io"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/console"
)

func jobLogCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name: "log", Usage: "print a job's log", UsageText: "artifetch job log ID [flags]",
		Description: `On a terminal, artifetch removes all control sequences from the log except colours;
elsewhere it prints the log unchanged. GitLab shows no log to a job token.`,
		Flags: []cli.Flag{
			projectFlag(),
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "keep printing what a running job adds until it finishes", DisableDefaultText: true},
			&cli.BoolFlag{Name: "no-ansi", Usage: "remove colours, section markers and overwritten lines", DisableDefaultText: true},
		},
		Action: action(con, readJobLog, runJobLog),
	}
}

type jobLogOptions struct {
	jobOptions
	follow bool
	plain  bool // without control sequences
}

func readJobLog(c *cli.Context) (jobLogOptions, error) {
	o, err := readJob(c)
	return jobLogOptions{o, c.Bool("follow"), c.Bool("no-ansi")}, err
}

func runJobLog(ctx context.Context, o jobLogOptions, con *console.Console) error {
	return connected(ctx, o.global, con, func(ctx context.Context, s *session) error {
		project, id, err := oneJob(s.cfg, o.project, o.id)
		if err != nil {
			return err
		}
		out, flush := logWriter(con, o.plain)
		err = s.jobs().Log(ctx, project, id, o.follow, out)
		return errors.Join(err, flush())
	})
}

// logWriter is where a log is written to: for a person without what could do harm.
func logWriter(con *console.Console, plain bool) (out io.Writer, flush func() error) {
	if !plain && !con.OutIsTerminal() {
		return con.Out, func() error { return nil }
	}
	filter := console.NewLogFilter(con.Out, !plain)
	return filter, filter.Flush
}
