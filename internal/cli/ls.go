package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/printable"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/internal/transport"
	"gitlab.com/artifetch/artifetch/resolve"
)

func lsCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "ls",
		Usage:     "list the files of a job's artifacts, without downloading them",
		UsageText: "artifetch ls [flags] [PATH…]",
		Description: `Reads the archive's directory with range requests. PATH selects as for fetch. If
the server doesn't support ranges, or with --server, ls shows GitLab's own list
(since 18.8), which has no times or checksums, and shows links as files. A message
says which reports the job also has, if GitLab names them soon.

  artifetch ls --ref main --job build
  artifetch ls --job-id 1002 -l 'reports/**'
  artifetch ls --ref main --job lint --report junit
  artifetch ls -R group/lib -r v1.0 -j package --format json`,
		Flags: slices.Concat(queryFlags(), []cli.Flag{
			reportFlag(),
			&cli.StringSliceFlag{Name: "include", Aliases: []string{"i"}, Category: help.Select, Usage: "list what matches `GLOB`; the same as a PATH argument"},
			&cli.StringSliceFlag{Name: "exclude", Aliases: []string{"x"}, Category: help.Select, Usage: "leave out what matches `GLOB`"},
			serverFlag("show the list that GitLab made of the archive"),
			&cli.BoolFlag{Name: "long", Aliases: []string{"l"}, Category: help.Output, Usage: "show modes, sizes and times", DisableDefaultText: true},
			&cli.BoolFlag{Name: "tree", Category: help.Output, Usage: "show directories as a tree", DisableDefaultText: true},
			formatFlag(),
		}),
		Action: action(con, readLs, runLs),
	}
}

// lsOptions are the options of ls.
type lsOptions struct {
	global             globalOptions
	query              queryOptions
	take               extract.Selection
	from               retrieve.Source
	asJSON, tree, long bool
}

func readLs(c *cli.Context) (o lsOptions, err error) {
	o = lsOptions{
		global: readGlobal(c), query: readQuery(c), from: readSource(c), tree: c.Bool("tree"), long: c.Bool("long"),
		take: extract.Selection{Include: slices.Concat(c.StringSlice("include"), c.Args().Slice()), Exclude: c.StringSlice("exclude")},
	}
	if o.asJSON, err = wantsJSON(c); err != nil {
		return o, err
	}
	if err = checkReports(o.query.asked.Reports, o.from); err != nil {
		return o, err
	}
	return o, extract.CheckPatterns(slices.Concat(o.take.Include, o.take.Exclude))
}

func runLs(ctx context.Context, o lsOptions, con *console.Console) error {
	return withQuery(ctx, o.global, o.query, con, func(ctx context.Context, s *session, q resolve.Query) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel() // ends the search for reports
		reports := o.reports(transport.Once(ctx), s, q)
		progress := s.newProgress(logOptions{})
		s.show(progress)
		var listed []extract.Listed
		err := s.waiter(o.query.wait).Do(ctx, func(ctx context.Context) (err error) {
			listed, err = s.inspector().List(ctx, q, o.take, o.from)
			return err
		})
		progress.End()
		if err != nil {
			return err
		}
		if err := o.print(con, listed); err != nil {
			return err
		}
		if len(listed) == 0 && !o.asJSON {
			s.log.Info().Msg("the archive is empty")
		}
		s.noteReports(reports)
		return nil
	})
}

// notePatience is how long a note may keep a command that is otherwise done. Usually, the
// server has answered already.
const notePatience = 2 * time.Second

// noteReports names the job's reports, unless the server takes too long to do so.
func (s *session) noteReports(reports <-chan []string) {
	select {
	case types := <-reports:
		switch {
		case len(types) == 0:
		case s.opener.ServesReports():
			s.log.Info().Strs("reports", types).Msg("the job also has reports; --report TYPE lists one")
		default:
			s.log.Info().Strs("reports", types).Msg("the job also has reports; GitLab serves them since 19.4")
		}
	case <-time.After(notePatience):
	}
}

// reports looks for the job's reports while its archive is listed. It returns none if the
// token can't list the job, or if the server fails.
func (o lsOptions) reports(ctx context.Context, s *session, q resolve.Query) <-chan []string {
	found := make(chan []string, 1)
	if len(q.Reports) > 0 || !s.log.Info().Enabled() {
		close(found)
		return found
	}
	go func() {
		defer close(found)
		reports, err := s.inspector().Reports(ctx, q)
		var types []string
		for _, r := range reports {
			types = append(types, r.Type)
		}
		if err == nil {
			found <- types
		}
	}()
	return found
}

func (o lsOptions) print(con *console.Console, listed []extract.Listed) error {
	switch {
	case o.asJSON:
		return con.Encode(listedJSON(listed))
	case o.tree:
		return printTree(con.Out, listed)
	case o.long:
		return printLong(con, listed)
	}
	for _, e := range listed {
		if _, err := fmt.Fprintln(con.Out, printable.Text(e.Name)); err != nil {
			return err
		}
	}
	return nil
}

// listedFile is an entry in JSON. Fields that GitLab's own list lacks are null.
type listedFile struct {
	Name           string     `json:"name"`
	Type           string     `json:"type"            doc:"file, directory or link"`
	Mode           *string    `json:"mode"            doc:"permission bits in octal"`
	Size           int64      `json:"size"            doc:"bytes, uncompressed"`
	CompressedSize *int64     `json:"compressed_size" doc:"bytes"`
	ModifiedAt     *time.Time `json:"modified_at"`
	CRC32          *string    `json:"crc32"           doc:"in hexadecimal"`
}

func listedJSON(listed []extract.Listed) []listedFile {
	rows := make([]listedFile, len(listed))
	for i, e := range listed {
		rows[i] = listedFile{
			Name: e.Name, Type: "file", Size: e.Size,
		}
		if e.Mode.Perm() != 0 { // GitLab omits it for directories without an entry
			rows[i].Mode = known(fmt.Sprintf("%04o", e.Mode.Perm()))
		}
		if !e.ModTime.IsZero() { // only the archive itself has it
			rows[i].ModifiedAt, rows[i].CompressedSize, rows[i].CRC32 = known(e.ModTime.UTC()), &e.Packed, known(fmt.Sprintf("%08x", e.CRC32))
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

// printLong prints a table.
func printLong(con *console.Console, listed []extract.Listed) error {
	t := con.Table(false, make([]console.Column, 4)...)
	for _, e := range listed {
		modified := ""
		if !e.ModTime.IsZero() {
			modified = e.ModTime.UTC().Format(time.RFC3339)
		}
		if err := t.Add(console.Text(e.Mode.String(), strconv.FormatInt(e.Size, 10), modified, e.Name)...); err != nil {
			return err
		}
	}
	return t.Flush()
}

// printTree prints each name below its directory, which is printed once.
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
			if _, err := fmt.Fprintf(out, "%s%s\n", strings.Repeat("  ", depth), printable.Text(parts[depth])); err != nil {
				return err
			}
		}
		above = parts
	}
	return nil
}
