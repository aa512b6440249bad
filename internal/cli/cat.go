package cli

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/atomicfile"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/messages"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

func catCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "cat",
		Usage:     "write one file of a job's artifacts to standard output",
		UsageText: "artifetch cat [flags] PATH\nartifetch cat --report TYPE [flags] [PATH]",
		Description: `Downloads only the file's own bytes, with range requests. It can check the checksum
only at the end: if it doesn't match, the exit code is 7 after the bytes were printed.
If the server doesn't support ranges, or with --server, GitLab unpacks the file; with
--server it also unpacks links, and sends the name of their target. A report with one
file needs no PATH.

  artifetch cat --ref main --job build version.txt
  artifetch cat --job-id 1002 -o report.xml reports/report.xml
  artifetch cat --ref main --job lint --report junit`,
		Flags: slices.Concat(queryFlags(), []cli.Flag{
			reportFlag(),
			serverFlag("let GitLab unpack the file"),
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Category: help.Output, Usage: "write to `FILE` atomically; - is standard output"},
		}),
		Action: action(con, readCat, runCat),
	}
}

// catOptions are the options of cat.
type catOptions struct {
	global globalOptions
	query  queryOptions
	file   retrieve.NamedFile
	output string // empty means standard output
}

func readCat(c *cli.Context) (catOptions, error) {
	o := catOptions{global: readGlobal(c), query: readQuery(c), file: retrieve.NamedFile{Name: c.Args().First(), From: readSource(c)}, output: c.String("output")}
	if o.output == "-" {
		o.output = ""
	}
	reports := len(o.query.asked.Reports)
	if c.NArg() > 1 || c.NArg() == 0 && reports == 0 {
		return o, usage("cat takes one PATH", "fetch takes several, and globs")
	}
	if reports > 1 {
		return o, usage("cat takes one --report", "fetch takes several")
	}
	return o, checkReports(o.query.asked.Reports, o.file.From)
}

func runCat(ctx context.Context, o catOptions, con *console.Console) error {
	return withQuery(ctx, o.global, o.query, con, func(ctx context.Context, s *session, q resolve.Query) error {
		progress := s.newProgress(logOptions{})
		s.show(progress)
		defer progress.End()
		if o.output == "" {
			return s.inspector().Cat(ctx, q, o.file, &after{con.Out, progress.End})
		}
		start, written := time.Now(), counted(0)
		err := atomicfile.Write(ctx, o.output, func(to io.Writer) error {
			reading := func() { progress.Doing("reading " + o.name()) }
			return s.inspector().Cat(ctx, q, o.file, &after{io.MultiWriter(to, &written), reading})
		})
		progress.End()
		if target, _ := atomicfile.Target(o.output); target != "" {
			err = failure.Unchanged(err)
		}
		if err == nil {
			s.outcome([]messages.Outcome{{Name: o.name(), Single: true, Bytes: int64(written), Into: o.output, Took: time.Since(start)}}, "")
		}
		return err
	})
}

// name describes the output for people.
func (o catOptions) name() string {
	return cmp.Or(o.file.Name, strings.Join(o.query.asked.Reports, ", ")+" report")
}

// after calls first before each write.
type after struct {
	w     io.Writer
	first func()
}

// Write implements [io.Writer].
func (a *after) Write(p []byte) (int, error) {
	a.first()
	return a.w.Write(p)
}

// counted counts the bytes that are written.
type counted int64

// Write implements [io.Writer].
func (c *counted) Write(p []byte) (int, error) {
	*c += counted(len(p))
	return len(p), nil
}
