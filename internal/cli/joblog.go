package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/sleep"
)

func jobLogCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name: "log", Usage: "print a job's log", UsageText: "artifetch job log ID [flags]",
		Description: `On a terminal, colours are all that is left of a log's control sequences;
elsewhere it is printed as it is. GitLab shows no log to a job token.`,
		Flags: []cli.Flag{
			projectFlag(),
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "print what a running job adds, until it has finished", DisableDefaultText: true},
			&cli.BoolFlag{Name: "no-ansi", Usage: "leave out colours, sections and lines that were written over", DisableDefaultText: true},
		},
		Action: func(c *cli.Context) error {
			return withSession(c, con, func(ctx context.Context, s *session) error {
				project, id, err := jobArgument(c, s.cfg)
				if err != nil {
					return err
				}
				if err := s.needsUser("logs", "read_api"); err != nil {
					return err
				}
				l := &jobLog{session: s, project: gitlab.Project(project), id: id, out: con.Out, pause: followPause}
				text := filtered(con, c.Bool("no-ansi"))
				if text != nil {
					l.out = text
				}
				err = l.print(ctx, c.Bool("follow"))
				if text != nil {
					err = errors.Join(err, text.Flush())
				}
				return explained(err, project, id, "read_api", "Reporter (with CI_DEBUG_TRACE: Developer)")
			})
		},
	}
}

// filtered is what a log goes through; nil means nothing.
func filtered(con *console.Console, noANSI bool) *console.LogFilter {
	if noANSI || con.OutIsTerminal() {
		return console.NewLogFilter(con.Out, !noANSI)
	}
	return nil
}

// jobLog prints the log of a job as it grows.
type jobLog struct {
	*session
	project gitlab.Project
	id      int64
	out     io.Writer
	pause   time.Duration // between two looks
	printed int64         // bytes of the log
}

// logBrokenError reports a log that broke off while it was read.
type logBrokenError struct{ err error }

// Error implements error.
func (e *logBrokenError) Error() string { return "the log broke off: " + e.err.Error() }

// Unwrap gives the reason.
func (e *logBrokenError) Unwrap() error { return e.err }

// followPause is between two looks at a job that runs. A runner sends what is new
// every three seconds: https://docs.gitlab.com/runner/configuration/advanced-configuration/
const followPause = 3 * time.Second

// print prints the log, once or until the job has finished. Whether it has is
// asked first, so that the log is complete then.
func (l *jobLog) print(ctx context.Context, follow bool) error {
	if !follow {
		return l.whole(ctx)
	}
	for {
		job, err := l.api.Job(ctx, l.project, l.id)
		if err != nil {
			return err
		}
		if err := l.whole(ctx); err != nil {
			return err
		}
		switch {
		case slices.Contains([]string{"success", "failed", "canceled", "skipped"}, job.Status):
			l.session.log.Info().Int64("job_id", l.id).Str("status", job.Status).Msg("finished")
			return nil
		case job.Status == "manual":
			return &notNowError{fmt.Sprintf("job %d waits for somebody to play it", l.id), fmt.Sprintf("artifetch job play %d", l.id)}
		}
		if err := sleep.For(ctx, l.pause); err != nil {
			return err
		}
	}
}

// realProgress is how many bytes have to come between two breaks, or a server that
// gives a few and breaks off would be asked for ever.
const realProgress = 64 << 10

// whole prints what is new in the log, and asks for it again if it breaks off.
func (l *jobLog) whole(ctx context.Context) error {
	pauses := l.policy.Backoff()
	for {
		before := l.printed
		err := l.more(ctx)
		if !is[*logBrokenError](err) || ctx.Err() != nil {
			return err
		}
		if l.printed-before >= realProgress {
			pauses = l.policy.Backoff()
		}
		pause := pauses.NextBackOff()
		if pause < 0 {
			return err
		}
		l.session.log.Warn().Err(err).Stringer("wait", pause.Round(time.Millisecond)).Msg("asking again")
		if err := sleep.For(ctx, pause); err != nil {
			return err
		}
	}
}

// more prints what is new in the log. The server sends it whole; what was printed
// is skipped. It may be shorter for a while, when GitLab moves it to storage.
func (l *jobLog) more(ctx context.Context) error {
	body, err := l.api.Trace(ctx, l.project, l.id)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // read to its end, or of no interest
	read := &logReader{body}
	switch _, err := io.CopyN(io.Discard, read, l.printed); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	n, err := io.Copy(l.out, read)
	l.printed += n
	return err
}

// logReader tells errors of the connection from those of the output.
type logReader struct{ body io.Reader }

// Read implements [io.Reader].
func (r *logReader) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &logBrokenError{err}
	}
	return n, err
}
