package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/resolve"
)

func catCommand() *cli.Command {
	return &cli.Command{
		Name:      "cat",
		Usage:     "write one file of a job's artifacts to standard output",
		UsageText: "artifetch cat [flags] PATH",
		Description: `Takes the file's own bytes out of the archive by range requests. Its checksum is
known only at its end: on a mismatch the exit code is 7, though bytes were printed.

  artifetch cat --ref main --job build version.txt
  artifetch cat --job-id 1002 -o report.xml reports/report.xml`,
		Flags: slices.Concat(queryFlags(), []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Category: categoryOutput, Usage: "write to `FILE`, which is there whole or not at all"},
		}),
		Action: runCat,
	}
}

func runCat(c *cli.Context) error {
	if c.NArg() != 1 {
		return &usageError{"cat takes one PATH", "fetch takes several, and globs"}
	}
	return withQuery(c, func(ctx context.Context, s *session, q resolve.Query) error {
		write := func(to io.Writer) error { return s.cat(ctx, q, c.Args().First(), to) }
		if file := c.String("output"); file != "" {
			return wholeFile(file, write)
		}
		return write(c.App.Writer)
	})
}

// cat writes one file of the one archive that a query means.
func (s *session) cat(ctx context.Context, q resolve.Query, name string, to io.Writer) error {
	file, a, err := s.openOne(ctx, q)
	if err != nil {
		return err
	}
	err = extract.Cat(ctx, file, name, to)
	if err != nil {
		err = fmt.Errorf("archive of %s: %w", a.Label(), err)
	}
	return errors.Join(err, file.Close())
}

// wholeFile writes a file that is there whole, or not at all.
func wholeFile(file string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".artifetch-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone, once it has its name
	err = write(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Chmod(f.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	return err
}
