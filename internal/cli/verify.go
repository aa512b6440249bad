package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/internal/printable"
)

func verifyCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "check the workspace against the lock file",
		UsageText: "artifetch verify [flags]",
		Description: `Lists the files that are missing or changed, and extra ones: files in a source's
output directory that no source has. It says which command fixes what. If there are any,
or the lock file isn't for this manifest, the exit code is 7. Makes no requests.

  artifetch verify
  artifetch verify --format json`,
		Flags:  append(manifestFlags(), formatFlag()),
		Action: action(con, readVerify, runVerify),
	}
}

// difference is a file that differs from the lock file, in JSON.
type difference struct {
	Source string `json:"source" doc:"empty for an extra file"`
	Path   string `json:"path"   doc:"relative to the directory of the manifest"`
	What   string `json:"what"   doc:"missing, changed or extra"`
	Mend   string `json:"mend"   doc:"the command that fixes it; empty if only you can tell"`
}

// verifyOptions are the options of verify.
type verifyOptions struct {
	global globalOptions
	files  manifestOptions
	asJSON bool
}

func readVerify(c *cli.Context) (o verifyOptions, err error) {
	o = verifyOptions{global: readGlobal(c), files: readManifest(c)}
	if c.Args().Present() {
		return o, usage("verify takes no argument", "it checks all sources; --manifest names another manifest")
	}
	o.asJSON, err = wantsJSON(c)
	return o, err
}

func runVerify(ctx context.Context, o verifyOptions, con *console.Console) error {
	ctx, cancel := withDeadline(ctx, o.global)
	defer cancel()
	s, err := localSession(ctx, o.global, con)
	if err != nil {
		return err
	}
	w, err := pin.Open(ctx, o.files.manifest, o.files.lock, env.Variable)
	if err != nil {
		return err
	}
	found, checked, err := w.Verify(ctx)
	if err != nil {
		return err
	}
	if err := printDifferences(con, found, o.asJSON); err != nil {
		return err
	}
	if len(found) > 0 {
		what := "1 file differs from the lock file"
		if len(found) > 1 {
			what = fmt.Sprintf("%d files differ from the lock file", len(found))
		}
		return &failure.Error{Code: failure.CodeIntegrity, What: what, Next: mending(found)}
	}
	s.log.Info().Int("files", checked.Files).Int("links", checked.Links).Msg("everything matches the lock file")
	return nil
}

// The commands that repair a workspace.
const (
	mendSync  = "artifetch sync"
	mendPrune = "artifetch sync --prune"
	doubtful  = mendSync + " of a source without locked files"
)

// mendedBy returns the command that repairs a difference, or "" for a file that may be
// the user's.
func mendedBy(d pin.Difference) string {
	switch {
	case d.Removable:
		return mendPrune
	case d.What == pin.Extra && !d.Doubtful:
		return ""
	}
	return mendSync
}

// mending says which command repairs what.
func mending(found []pin.Difference) string {
	by := map[string]bool{}
	for _, d := range found {
		way := mendedBy(d)
		if d.Doubtful {
			way = doubtful
		}
		by[way] = true
	}
	var ways []string
	for _, way := range []struct{ command, does string }{
		{mendSync, mendSync + " fetches what is missing or changed"},
		{mendPrune, mendPrune + " removes extra files"},
		{doubtful, "a source has an archive, but no locked files: " + mendSync + " checks whether the lock file is wrong"},
		{"", "extra files in an output that several sources share are yours to remove"},
	} {
		if by[way.command] {
			ways = append(ways, way.does)
		}
	}
	return strings.Join(ways, "; ")
}

func printDifferences(con *console.Console, found []pin.Difference, asJSON bool) error {
	if asJSON {
		rows := make([]difference, len(found))
		for i, d := range found {
			rows[i] = difference{d.Source, d.Path, d.What, mendedBy(d)}
		}
		return con.Encode(rows)
	}
	for _, d := range found {
		if _, err := fmt.Fprintf(con.Out, "%s\t%s\n", d.What, printable.Text(d.Path)); err != nil {
			return err
		}
	}
	return nil
}

// manifestFlags are the flags of all commands with a manifest.
func manifestFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "manifest", Aliases: []string{"f"}, Category: help.Which, Usage: "the manifest `FILE`", Value: "artifetch.yml"},
		&cli.StringFlag{Name: "lock", Category: help.Which, Usage: "the lock `FILE` (default: beside the manifest, with the ending .lock)"},
	}
}

// manifestOptions are the values of [manifestFlags].
type manifestOptions struct{ manifest, lock string }

func readManifest(c *cli.Context) manifestOptions {
	return manifestOptions{c.String("manifest"), c.String("lock")}
}
