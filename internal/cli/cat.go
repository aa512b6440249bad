package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"slices"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/atomicfile"
	"gitlab.com/artifetch/artifetch/internal/console"
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
		write := func(to io.Writer) error { return s.cat(ctx, q, c.Args().First(), c.Bool("server"), to) }
		if file := c.String("output"); file != "" {
			return atomicfile.Write(file, write)
		}
		return write(con.Out)
	})
}

// cat writes one file of the one archive that a query means.
func (s *session) cat(ctx context.Context, q resolve.Query, name string, server bool, to io.Writer) error {
	a, err := s.one(ctx, q)
	if err != nil {
		return err
	}
	f := fetcher{session: s, query: q, extraction: extraction{extract: extract.Options{Include: []string{name}}}}
	if server {
		return f.catUnpacked(ctx, a, path.Clean(name), -1, to)
	}
	file, a, err := s.openOne(ctx, q, a, true)
	if errors.Is(err, fetch.ErrNoRanges) {
		known, listErr := f.listed(ctx, a)
		if listErr != nil {
			return listErr
		}
		if len(known) == 1 {
			return f.catUnpacked(ctx, a, known[0].Path, known[0].Size, to)
		}
		file, a, err = s.openOne(ctx, q, a, false)
	}
	if err != nil {
		return err
	}
	err = extract.Cat(ctx, file, name, to)
	if err != nil {
		err = fmt.Errorf("archive of %s: %w", a.Label(), err)
	}
	return errors.Join(err, file.Close())
}

// catUnpacked writes a file that GitLab unpacks. size is what it should have;
// negative if that is unknown.
func (f *fetcher) catUnpacked(ctx context.Context, a resolve.Artifact, name string, size int64, to io.Writer) error {
	address := f.api.FileURL(gitlab.Project(a.Project), a.JobID, name)
	if a.JobID == 0 {
		address = f.api.RefFileURL(gitlab.Project(a.Project), a.Ref, a.JobName, name, f.query.Recent)
	}
	how := f.transfer(os.TempDir())
	how.Size = max(size, 0)
	file, err := fetch.Open(ctx, address, how)
	if noEntry(err) {
		return &extract.NoMatchError{Patterns: []string{name}}
	}
	if err != nil {
		found, why := f.resolver.Fallback(ctx, f.query, a, err)
		switch {
		case why != nil:
			return why
		case a.JobID == 0 && found.JobID != 0: // now that it is known, by its id
			return f.catUnpacked(ctx, found, name, size, to)
		}
		return err // another place has the archive, but no single file
	}
	if size >= 0 && size != file.Size() {
		return errors.Join(&extract.CorruptError{Entry: name, Err: fmt.Errorf("%d bytes came of %d", file.Size(), size)}, file.Close())
	}
	body, err := file.Range(ctx, 0, file.Size())
	if err != nil {
		return errors.Join(err, file.Close())
	}
	_, err = io.Copy(to, body)
	return errors.Join(err, body.Close(), file.Close())
}

// noEntry knows the 404 of Workhorse, which looks into the archive: GitLab's own
// is JSON (workhorse/internal/artifacts/entry.go).
func noEntry(err error) bool {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	return ok && refusal.StatusCode == http.StatusNotFound && refusal.Message == "404 page not found"
}
