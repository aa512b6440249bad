package cli

import (
	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/retrieve"
)

// ifMissing reads --if-missing: what becomes of an error that says that there is
// no such job, or no archive. outcome says so in the log.
func ifMissing(c *cli.Context, outcome string) (func(*session, error) error, error) {
	switch what := c.String("if-missing"); what {
	case "", "fail":
		return func(_ *session, err error) error { return err }, nil
	case "warn", "ignore":
		return func(s *session, err error) error {
			if !retrieve.Missing(err) {
				return err
			}
			event := s.log.Warn()
			if what == "ignore" {
				event = s.log.Debug()
			}
			event.Err(err).Msg(outcome)
			return nil
		}, nil
	}
	return nil, &usageError{"--if-missing is none of fail, warn, ignore", "leave it out to fail"}
}
