package cli

import (
	"context"

	"github.com/rs/zerolog"
	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/console"
)

// section puts what is said from now on into a section of the job log, until end is
// called. The result belongs behind it: a closed section hides everything. Outside of
// job logs it does nothing.
func (s *session) section(o logOptions, command, heading string) (end func()) {
	if !s.cfg.InCI || s.con.JSON() || o.noSections || s.quiet {
		return func() {}
	}
	closeSection := s.con.Section("artifetch_"+command, heading, s.log.GetLevel() == zerolog.DebugLevel)
	s.sectioned = true
	return func() {
		s.sectioned = false
		closeSection()
	}
}

// detail is a message that would be too much, unless a section folds it away.
func (s *session) detail() *zerolog.Event {
	if s.sectioned {
		return s.log.Info()
	}
	return s.log.Debug()
}

// newProgress is nil if --no-progress or --quiet is given.
func (s *session) newProgress(o logOptions) *console.Progress {
	if o.noProgress || s.quiet {
		return nil
	}
	return s.con.Progress(s.cfg.InCI, func(p console.Pace) {
		s.log.Info().Int64("percent", p.Percent).Str("of", console.Size(p.Total)).Str("rate", console.Size(p.PerSecond)+"/s").
			Stringer("left", p.Left).Msg("under way")
	})
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
