package cli

import (
	"context"
	"errors"
	"io"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/resolve"
)

func jobLogCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name: "log", Usage: "print a job's log", UsageText: "artifetch job log [ID] [flags]",
		Description: `On a terminal, artifetch removes all control sequences from the log except colours;
elsewhere it prints the log unchanged. GitLab shows no log to a job token.`,
		Flags: append(jobFlags(),
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "keep printing what a running job adds until it finishes", DisableDefaultText: true},
			&cli.DurationFlag{Name: "wait", Usage: "with --follow: wait up to `DURATION` for the job to appear and to start", DefaultText: "no time"},
			&cli.BoolFlag{Name: "no-ansi", Usage: "remove colours, section markers and overwritten lines", DisableDefaultText: true},
		),
		Action: action(con, readJobLog, runJobLog),
	}
}

type jobLogOptions struct {
	jobOptions
	follow bool
	plain  bool // without control sequences
}

func readJobLog(c *cli.Context) (jobLogOptions, error) {
	job, err := readJob(c)
	o := jobLogOptions{job, c.Bool("follow"), c.Bool("no-ansi")}
	if err == nil && o.query.wait > 0 && !o.follow {
		err = usage("--wait is for a log that is followed", "add --follow")
	}
	return o, err
}

func runJobLog(ctx context.Context, o jobLogOptions, con *console.Console) error {
	return connected(ctx, o.global, con, func(ctx context.Context, s *session) error {
		client := s.jobs()
		if err := client.NeedsUser("logs", "read_api"); err != nil {
			return err // before a search that would be in vain
		}
		var of resolve.Artifact
		err := s.waiter(o.query.wait).Do(ctx, func(ctx context.Context) (err error) {
			if of, err = s.oneJob(ctx, o.query, o.id); err == nil && o.query.wait > 0 {
				err = client.Started(ctx, of)
			}
			return err
		})
		if err != nil {
			return err
		}
		out, flush := logWriter(con, o.plain)
		err = client.Log(ctx, of.Project, of.JobID, o.follow, out)
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
