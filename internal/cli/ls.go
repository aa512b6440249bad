package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/resolve"
)

func lsCommand() *cli.Command {
	return &cli.Command{
		Name:      "ls",
		Usage:     "list the files of a job's artifacts, without downloading them",
		UsageText: "artifetch ls [flags] [PATH…]",
		Description: `Reads the archive's directory by range requests. PATH selects as for fetch.

  artifetch ls --ref main --job build
  artifetch ls --job-id 1002 -l 'reports/**'
  artifetch ls -R group/lib -r v1.0 -j package --format json`,
		Flags: slices.Concat(queryFlags(), []cli.Flag{
			&cli.StringSliceFlag{Name: "include", Aliases: []string{"i"}, Category: categorySelect, Usage: "list what matches `GLOB`; the same as a PATH argument"},
			&cli.StringSliceFlag{Name: "exclude", Aliases: []string{"x"}, Category: categorySelect, Usage: "leave out what matches `GLOB`"},
			&cli.BoolFlag{Name: "long", Aliases: []string{"l"}, Category: categoryOutput, Usage: "show modes, sizes and times", DisableDefaultText: true},
			&cli.BoolFlag{Name: "tree", Category: categoryOutput, Usage: "show directories as a tree", DisableDefaultText: true},
			formatFlag(),
		}),
		Action: runLs,
	}
}

func runLs(c *cli.Context) error {
	return withQuery(c, func(ctx context.Context, s *session, q resolve.Query) error {
		asJSON, err := wantsJSON(c)
		if err != nil {
			return err
		}
		o := extract.Options{Include: slices.Concat(c.StringSlice("include"), c.Args().Slice()), Exclude: c.StringSlice("exclude")}
		if err := extract.CheckPatterns(slices.Concat(o.Include, o.Exclude)); err != nil {
			return err
		}
		var listed []extract.Listed
		err = s.waiting(ctx, c.Duration("wait"), func(ctx context.Context) (err error) {
			listed, err = s.list(ctx, q, o)
			return err
		})
		switch {
		case err != nil:
			return err
		case asJSON:
			return encode(c, listedJSON(listed))
		case c.Bool("tree"):
			return printTree(c.App.Writer, listed)
		case c.Bool("long"):
			return printLong(c.App.Writer, listed)
		}
		for _, e := range listed {
			if _, err := fmt.Fprintln(c.App.Writer, printable(e.Name)); err != nil {
				return err
			}
		}
		return nil
	})
}

// list reads the directory of the one archive that a query means.
func (s *session) list(ctx context.Context, q resolve.Query, o extract.Options) ([]extract.Listed, error) {
	file, a, err := s.openOne(ctx, q)
	if err != nil {
		return nil, err
	}
	listed, err := extract.List(ctx, file, o)
	if err != nil {
		err = fmt.Errorf("archive of %s: %w", a.Label(), err)
	}
	s.log.Debug().Int64("bytes", file.Stats().Bytes).Int64("requests", file.Stats().Requests).Msg("listed")
	return listed, errors.Join(err, file.Close())
}

// openOne opens the one archive that a query means. Where there are no ranges,
// the whole archive has to come.
func (s *session) openOne(ctx context.Context, q resolve.Query) (*fetch.File, resolve.Artifact, error) {
	found, err := s.resolver.Artifacts(ctx, q)
	switch {
	case err != nil:
		return nil, resolve.Artifact{}, err
	case len(found) > 1:
		return nil, resolve.Artifact{}, &usageError{fmt.Sprintf("%d jobs are meant", len(found)), "this command looks into one archive: name one job"}
	}
	f := fetcher{session: s, query: q}
	how := f.transfer(os.TempDir())
	how.Partial = true
	return f.open(ctx, found[0], how)
}

// listedFile is an entry in JSON.
type listedFile struct {
	Name           string     `json:"name"`
	Type           string     `json:"type"` // "file", "directory" or "link"
	Mode           string     `json:"mode"` // permission bits in octal
	Size           int64      `json:"size"`
	CompressedSize int64      `json:"compressed_size"`
	ModifiedAt     *time.Time `json:"modified_at"`
	CRC32          string     `json:"crc32"`
}

func listedJSON(listed []extract.Listed) []listedFile {
	rows := make([]listedFile, len(listed))
	for i, e := range listed {
		rows[i] = listedFile{
			Name: e.Name, Type: "file", Mode: fmt.Sprintf("%04o", e.Mode.Perm()), Size: e.Size, CompressedSize: e.Packed, CRC32: fmt.Sprintf("%08x", e.CRC32),
		}
		if !e.ModTime.IsZero() {
			rows[i].ModifiedAt = known(e.ModTime.UTC())
		}
		switch {
		case e.Mode.IsDir():
			rows[i].Type = "directory"
		case e.Mode&os.ModeSymlink != 0:
			rows[i].Type = "link"
		}
	}
	return rows
}

// printLong prints a table: aligned for a person, with tabs for a program.
func printLong(out io.Writer, listed []extract.Listed) error {
	table := out
	flush := func() error { return nil }
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		table, flush = w, w.Flush
	}
	for _, e := range listed {
		modified := ""
		if !e.ModTime.IsZero() {
			modified = e.ModTime.UTC().Format(time.RFC3339)
		}
		if _, err := fmt.Fprintf(table, "%s\t%d\t%s\t%s\n", e.Mode, e.Size, modified, printable(e.Name)); err != nil {
			return err
		}
	}
	return flush()
}

// printTree prints each name below its directory, which is shown once.
func printTree(out io.Writer, listed []extract.Listed) error {
	names := make([]string, len(listed))
	for i, e := range listed {
		names[i] = strings.TrimSuffix(e.Name, "/")
	}
	slices.Sort(names)
	var above []string
	for _, name := range slices.Compact(names) {
		parts := strings.Split(name, "/")
		same := 0
		for same < len(parts)-1 && same < len(above) && parts[same] == above[same] {
			same++
		}
		for depth := same; depth < len(parts); depth++ {
			if _, err := fmt.Fprintf(out, "%s%s\n", strings.Repeat("  ", depth), printable(parts[depth])); err != nil {
				return err
			}
		}
		above = parts
	}
	return nil
}
