package cli

import (
	"context"
	"io"
	"slices"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/atomicfile"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

func catCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "cat",
		Usage:     "write one file of a job's artifacts to standard output",
		UsageText: "artifetch cat [flags] PATH",
		Description: `Takes the file's own bytes out of the archive by range requests. Its checksum is
known only at its end: on a mismatch the exit code is 7, though bytes were printed.
Where there are no ranges, or with --server, GitLab unpacks the file; with --server
it does so for a link too, of which it sends the target's name.

  artifetch cat --ref main --job build version.txt
  artifetch cat --job-id 1002 -o report.xml reports/report.xml`,
		Flags: slices.Concat(queryFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "server", Category: categoryTransfer, Usage: "let GitLab unpack the file", DisableDefaultText: true},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Category: categoryOutput, Usage: "write to `FILE`, whole or not at all"},
		}),
		Action: func(c *cli.Context) error { return runCat(c, con) },
	}
}

func runCat(c *cli.Context, con *console.Console) error {
	if c.NArg() != 1 {
		return &usageError{"cat takes one PATH", "fetch takes several, and globs"}
	}
	return withQuery(c, con, func(ctx context.Context, s *session, q resolve.Query) error {
		f := retrieve.NamedFile{Name: c.Args().First(), From: source(c)}
		write := func(to io.Writer) error { return s.inspector().Cat(ctx, q, f, to) }
		if file := c.String("output"); file != "" {
			return atomicfile.Write(file, write)
		}
		return write(con.Out)
	})
}

// source reads --server.
func source(c *cli.Context) retrieve.Source {
	if c.Bool("server") {
		return retrieve.FromGitLab
	}
	return retrieve.FromArchive
}
