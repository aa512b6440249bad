package cli

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/internal/printable"
)

func verifyCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "hold the workspace against the lock file",
		UsageText: "artifetch verify [flags]",
		Description: `Says which files are missing, or changed, and which are extra: in the output
directory of a source, but of no source. The code is 7 if there are any. Nobody is
asked.

  artifetch verify
  artifetch verify --format json`,
		Flags:  append(manifestFlags(), formatFlag()),
		Action: func(c *cli.Context) error { return runVerify(c, con) },
	}
}

// difference is a file that is not as it is locked, in JSON.
type difference struct {
	Source string `json:"source" doc:"empty for an extra file"`
	Path   string `json:"path"   doc:"relative to the directory of the manifest"`
	What   string `json:"what"   doc:"missing, changed or extra"`
}

func runVerify(c *cli.Context, con *console.Console) error {
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	ctx, cancel := withDeadline(c.Context, readGlobal(c))
	defer cancel()
	s, err := localSession(ctx, readGlobal(c), con)
	if err != nil {
		return err
	}
	w, err := pin.Open(c.String("manifest"), c.String("lock"), env.Variable)
	if err != nil {
		return err
	}
	found, files, err := w.Verify(ctx)
	if err != nil {
		return err
	}
	differences := each(found, func(d pin.Difference) difference { return difference(d) })
	if asJSON {
		err = con.Encode(differences)
	} else {
		for _, d := range differences {
			if _, err = fmt.Fprintf(con.Out, "%s\t%s\n", d.What, printable.Text(d.Path)); err != nil {
				break
			}
		}
	}
	switch {
	case err != nil:
		return err
	case len(differences) > 0:
		return &lockError{fmt.Sprintf("%d files are not as they are locked", len(differences)), "artifetch sync brings what is missing or changed"}
	}
	s.log.Info().Int("files", files).Msg("everything is as it is locked")
	return nil
}
