package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/resolve"
)

func keepCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "keep",
		Usage:     "keep a job's artifacts from expiring",
		UsageText: "artifetch keep [flags]",
		Description: `Takes the same query as fetch. It wants the token of a user: GitLab takes no job
token for it.

  artifetch keep --job-id 1001
  artifetch keep --ref v1.0 --job build`,
		Flags:  slices.Concat(queryFlags(), []cli.Flag{formatFlag()}),
		Action: func(c *cli.Context) error { return runKeep(c, con) },
	}
}

func runKeep(c *cli.Context, con *console.Console) error {
	return withTargets(c, con, "keeping artifacts", func(ctx context.Context, s *session, found []resolve.Artifact) error {
		asJSON, err := wantsJSON(c)
		if err != nil {
			return err
		}
		rows := []jobRow{}
		for _, a := range found {
			job, err := s.jobs().Keep(ctx, a)
			if err != nil {
				return err
			}
			s.log.Info().Str("artifacts", a.Label()).Msg("kept")
			rows = append(rows, newJobRow(job))
		}
		if asJSON {
			return con.Encode(rows)
		}
		return nil
	})
}

func deleteCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "delete",
		Usage:     "delete a job's artifacts, or all of a project's",
		UsageText: "artifetch delete [flags]",
		Description: `Takes the same query as fetch, and deletes the archive and the reports; the log
stays. With --all GitLab deletes, in the background, those of all jobs but of the
newest successful pipeline of each ref. On a terminal it asks. It wants the token
of a user: GitLab takes no job token for it.

  artifetch delete --job-id 1001
  artifetch delete -R group/app --all --yes`,
		Flags: slices.Concat(queryFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "all", Category: categoryWhich, Usage: "of all jobs of the project; where nobody can be asked, with --yes", DisableDefaultText: true},
			yesFlag(),
		}),
		Action: func(c *cli.Context) error { return runDelete(c, con) },
	}
}

func runDelete(c *cli.Context, con *console.Console) error {
	if c.Bool("all") {
		return withSession(c, con, func(ctx context.Context, s *session) error { return deleteAll(ctx, c, s) })
	}
	return withTargets(c, con, "deleting artifacts", func(ctx context.Context, s *session, found []resolve.Artifact) error {
		var labels []string
		for _, a := range found {
			labels = append(labels, a.Label())
		}
		if err := s.confirm(ctx, readYes(c), fmt.Sprintf("Delete the artifacts of %s of project %s?", strings.Join(labels, ", "), found[0].Project)); err != nil {
			return err
		}
		for _, a := range found {
			if err := s.jobs().DeleteArtifacts(ctx, a.Project, a.JobID); err != nil {
				return err
			}
			s.log.Info().Str("artifacts", a.Label()).Msg("deleted")
		}
		return nil
	})
}

func deleteAll(ctx context.Context, c *cli.Context, s *session) error {
	for _, f := range queryFlags() {
		if name := f.Names()[0]; name != "project" && c.IsSet(name) {
			return &usageError{"--all deletes the artifacts of all jobs; --" + name + " names some", "leave one of them out"}
		}
	}
	project, err := projectOf(readProject(c), s.cfg)
	switch {
	case err != nil:
		return err
	case project == "":
		return errNoProject
	case !readYes(c) && !s.con.Attended():
		return &usageError{"--all deletes the artifacts of all jobs, and nobody can be asked here", "give --yes too"}
	}
	if err := s.jobs().NeedsUser("deleting artifacts", "api"); err != nil {
		return err
	}
	if err := s.confirm(ctx, readYes(c), fmt.Sprintf("Delete the artifacts of ALL jobs of project %s, but of the newest successful pipeline of each ref?", project)); err != nil {
		return err
	}
	if err := s.jobs().DeleteAllArtifacts(ctx, project); err != nil {
		return err
	}
	s.log.Info().Str("project", project).Msg("GitLab deletes them in the background; the newest successful pipeline of each ref keeps its own")
	return nil
}

// withTargets does something to the jobs that a query means, each known by its id.
func withTargets(c *cli.Context, con *console.Console, what string, do func(context.Context, *session, []resolve.Artifact) error) error {
	if c.Args().Present() {
		return &usageError{c.Command.Name + " takes no argument", "name the job by --job-id, or by --ref and --job"}
	}
	return withQuery(c, con, func(ctx context.Context, s *session, q resolve.Query) error {
		if err := s.jobs().NeedsUser(what, "api"); err != nil {
			return err
		}
		var found []resolve.Artifact
		err := s.waiter(c.Duration("wait")).Do(ctx, func(ctx context.Context) (err error) {
			found, err = s.resolver.Artifacts(ctx, q)
			return err
		})
		if err != nil {
			return err
		}
		for _, a := range found {
			if a.JobID == 0 {
				return &usageError{"this token may not list jobs, so that it is not known which one is meant", "name it by --job-id"}
			}
		}
		return do(ctx, s, found)
	})
}
