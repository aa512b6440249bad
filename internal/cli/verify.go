package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/printable"
	"gitlab.com/artifetch/artifetch/manifest"
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
	y := &syncer{session: s, out: con.Out}
	if err := y.read(c); err != nil {
		return err
	}
	differences, files, err := y.differences(ctx)
	if err != nil {
		return err
	}
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

// differences compares all locked files, and looks for others beside them.
func (y *syncer) differences(ctx context.Context) (found []difference, files int, err error) {
	found = []difference{}
	locked := map[string]bool{}
	for _, source := range y.manifest.Sources {
		entry, ok := y.old.Find(source.Name)
		if !ok || !entry.IsFor(source) {
			return nil, 0, &lockError{fmt.Sprintf("source %q is not locked as the manifest has it", source.Name), "run artifetch sync, and commit the lock file"}
		}
		for _, f := range entry.Files {
			files++
			locked[f.Path] = true
			if what := different(ctx, y.root, f); what != "" {
				found = append(found, difference{source.Name, f.Path, what})
			}
		}
	}
	if ctx.Err() != nil {
		return nil, 0, context.Cause(ctx)
	}
	extra, err := y.extra(locked)
	return append(found, extra...), files, err
}

// extra lists what lies in the output directories of sources and is of none.
func (y *syncer) extra(locked map[string]bool) (found []difference, err error) {
	seen := map[string]bool{}
	for _, source := range y.manifest.Sources {
		dir := outputOf(source)
		if dir == "" || seen[dir] {
			continue // the workspace has files of its own
		}
		seen[dir] = true
		err = filepath.WalkDir(filepath.Join(y.root, dir), func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return ignoreMissing(err)
			}
			name, err := filepath.Rel(y.root, file)
			name = filepath.ToSlash(name)
			if err == nil && !locked[name] && !seen[name] {
				seen[name] = true
				found = append(found, difference{"", name, "extra"})
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// outputOf is where the files of a source go, below the directory of the manifest.
func outputOf(s manifest.Source) string { return path.Clean("/" + filepath.ToSlash(s.Output))[1:] }
