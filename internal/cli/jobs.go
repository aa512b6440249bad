package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/resolve"
)

func jobsCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "jobs",
		Usage:     "list the jobs of a project, a ref or a pipeline",
		UsageText: "artifetch jobs [flags]",
		Description: `Newest first. On a terminal a table; elsewhere one line a job, with tabs between
id, status, stage, name, ref, pipeline, seconds, end and bytes of the archive.
Jobs that were retried are in the list of a project always, and in that of a
pipeline or ref with --include-retried. Child pipelines have lists of their own.

  artifetch jobs --pipeline current --scope failed
  artifetch jobs --ref main --name 'test *' --with-artifacts --format json
  artifetch jobs -R group/lib --limit 0 --format jsonl`,
		Flags: []cli.Flag{
			projectFlag(),
			&cli.StringFlag{Name: "ref", Aliases: []string{"r"}, Category: categoryWhich, Usage: "jobs of the pipelines of branch or tag `REF`"},
			&cli.StringFlag{Name: "pipeline", Category: categoryWhich, Usage: "of one pipeline: `ID`, web address, current, or latest (of --ref)"},
			&cli.StringSliceFlag{Name: "scope", Category: categoryWhich, Usage: "with this `STATUS`: success, failed, running, …; may be repeated"},
			&cli.StringFlag{Name: "name", Category: categoryWhich, Usage: "with this `NAME`, or a glob (*, ?, {a,b})"},
			&cli.BoolFlag{Name: "with-artifacts", Category: categoryWhich, Usage: "with an archive that has not expired", DisableDefaultText: true},
			&cli.BoolFlag{Name: "include-retried", Category: categoryWhich, Usage: "of a pipeline or ref: also attempts that were retried", DisableDefaultText: true},
			&cli.IntFlag{Name: "limit", Category: categoryOutput, Usage: "at most `N` jobs; 0 for all", Value: defaultLimit},
			&cli.StringFlag{Name: "format", Category: categoryOutput, Usage: "`FORMAT` of the result: text, json, or jsonl for one object a line", DefaultText: "text"},
		},
		Action: func(c *cli.Context) error { return runJobs(c, con) },
	}
}

// defaultLimit is a page.
const defaultLimit = 100

// jobsQuery is which jobs are listed.
type jobsQuery struct {
	resolve.Query // Project; Ref, PipelineID or Latest
	name          string
	withArtifacts bool
	limit         int
	options       gitlab.JobsOptions
}

func runJobs(c *cli.Context, con *console.Console) error {
	if c.Args().Present() {
		return &usageError{"jobs takes no argument", "--name selects by name; job show ID shows one"}
	}
	return withSession(c, con, func(ctx context.Context, s *session) error {
		q, err := newJobsQuery(c, s.cfg)
		if err != nil {
			return err
		}
		print, end, err := jobPrinter(c, con)
		if err != nil {
			return err
		}
		n := 0
		for job, err := range s.jobs(ctx, q) {
			if err != nil {
				return s.notListed(err, q.Query)
			}
			if err := print(job); err != nil {
				return err
			}
			n++
		}
		if n == q.limit {
			s.log.Info().Int("jobs", n).Msg("--limit ends the list here; there may be more")
		}
		return end()
	})
}

func newJobsQuery(c *cli.Context, cfg env.Config) (jobsQuery, error) {
	q := jobsQuery{
		name: c.String("name"), withArtifacts: c.Bool("with-artifacts"), limit: c.Int("limit"),
		options: gitlab.JobsOptions{Scope: c.StringSlice("scope"), IncludeRetried: c.Bool("include-retried")},
	}
	q.Ref = c.String("ref")
	for _, status := range q.options.Scope {
		if known := gitlab.Statuses(); !slices.Contains(known, status) {
			return q, &usageError{fmt.Sprintf("--scope %q is no status of a job", status), "it is one of " + strings.Join(known, ", ")}
		}
	}
	var err error
	if q.Project, err = projectOf(readProject(c), cfg); err != nil {
		return q, err
	}
	if err := pipelineIn(readPipeline(c))(cfg, &q.Query); err != nil {
		return q, err
	}
	if own := q.Project == cfg.Project || q.Project == cfg.ProjectPath; own && q.Latest && q.Ref == "" {
		q.Ref = cfg.Ref
	}
	if err := listUsage(q.ValidateList()); err != nil {
		return q, err
	}
	if q.limit < 0 {
		return q, &usageError{"--limit must not be negative", "0 lists all"}
	}
	if q.limit > 0 && q.name == "" && !q.withArtifacts {
		q.options.PerPage = q.limit
	}
	return q, nil
}

// listUsage says which flags a mistake in a list's query is about.
func listUsage(err error) error {
	e, ok := errors.AsType[*resolve.QueryError](err)
	switch {
	case !ok:
		return err
	case e.Problem == resolve.ProblemConflict:
		return &usageError{"--pipeline and --ref each say which pipeline", "give one of them; --pipeline latest goes with --ref"}
	case e.Fields[0] == resolve.FieldProject:
		return errNoProject
	}
	return &usageError{"no ref given", "--pipeline latest is that of --ref"}
}

var errNoProject = &usageError{"no project: CI_PROJECT_ID is not set", "give --project with an id or a full path such as group/app"}

// notListed explains why a list was refused.
func (s *session) notListed(err error, q resolve.Query) error {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	switch {
	case !ok:
		return err
	case s.cfg.Token.Kind == env.JobToken && resolve.Refused(err):
		return &resolve.ClosedError{Query: q, Err: err}
	case refusal.StatusCode == http.StatusUnauthorized:
		return &actionError{err, "GitLab lists jobs to nobody without a token, also of public projects: set GITLAB_TOKEN to a token with the scope read_api"}
	case refusal.ProjectNotFound():
		return &resolve.NotFoundError{Query: q, What: "project", Err: err}
	case q.PipelineID != 0 && errors.Is(err, gitlab.ErrNotFound):
		return &resolve.NotFoundError{Query: q, What: "pipeline", Err: err}
	}
	return err
}

// jobPrinter prints jobs one by one, in the format that is asked for.
func jobPrinter(c *cli.Context, con *console.Console) (print func(gitlab.Job) error, end func() error, err error) {
	nothing := func() error { return nil }
	switch format := c.String("format"); format {
	case "", "text":
		t := con.Table(true, jobColumns()...)
		return func(j gitlab.Job) error { return t.Add(jobCells(j)...) }, t.Flush, nil
	case "json":
		rows := []jobRow{}
		return func(j gitlab.Job) error { rows = append(rows, newJobRow(j)); return nil }, func() error { return con.Encode(rows) }, nil
	case "jsonl":
		return func(j gitlab.Job) error { return con.EncodeLine(newJobRow(j)) }, nothing, nil
	}
	return nil, nil, &usageError{"--format is none of text, json, jsonl", "leave it out for text"}
}

func jobColumns() []console.Column {
	columns := make([]console.Column, 0, 9)
	for _, title := range []string{"ID", "STATUS", "STAGE", "NAME", "REF", "PIPELINE", "TOOK", "FINISHED", "ARCHIVE"} {
		columns = append(columns, console.Column{Title: title, Shrinks: title == "STAGE" || title == "NAME" || title == "REF"})
	}
	return columns
}

func jobCells(j gitlab.Job) []console.Cell {
	size, shown, took := "", "", ""
	if j.ArtifactsFile != nil {
		size, shown = strconv.FormatInt(j.ArtifactsFile.Size, 10), console.Size(j.ArtifactsFile.Size)
	}
	if j.Duration != nil {
		took = strconv.FormatFloat(*j.Duration, 'f', -1, 64)
	}
	return []console.Cell{
		{Plain: orUnknown(j.ID)}, {Plain: j.Status}, {Plain: j.Stage}, {Plain: j.Name}, {Plain: j.Ref}, {Plain: orUnknown(j.Pipeline.ID)},
		{Plain: took, Shown: console.Seconds(j.Duration)}, {Plain: console.Time(j.FinishedAt)}, {Plain: size, Shown: shown},
	}
}
