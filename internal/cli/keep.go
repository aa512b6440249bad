package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/jobs"
	"gitlab.com/artifetch/artifetch/resolve"
)

func keepCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "keep",
		Usage:     "keep a job's artifacts from expiring",
		UsageText: "artifetch keep [flags]",
		Description: `Takes the same query as fetch. If it finds several jobs and one has no archive
any more, the others are kept, and the error names both. Needs a personal, project
or group access token: GitLab doesn't accept job tokens for this.

  artifetch keep --job-id 1001
  artifetch keep --ref v1.0 --job build`,
		Flags:  slices.Concat(queryFlags(), []cli.Flag{formatFlag()}),
		Action: action(con, readKeep, runKeep),
	}
}

// keepOptions are the options of keep.
type keepOptions struct {
	targetOptions
	asJSON bool
}

func readKeep(c *cli.Context) (o keepOptions, err error) {
	if o.targetOptions, err = readTargets(c, "keeping artifacts"); err != nil {
		return o, err
	}
	o.asJSON, err = wantsJSON(c)
	return o, err
}

func runKeep(ctx context.Context, o keepOptions, con *console.Console) error {
	return o.each(ctx, con, func(ctx context.Context, s *session, found []resolve.Artifact) error {
		s.api.KeepRaw = o.asJSON
		rows := []json.RawMessage{}
		err := jobs.Each(found, "kept", func(a resolve.Artifact) error {
			job, err := s.jobs().Keep(ctx, a)
			if err != nil {
				return err
			}
			s.log.Info().Str("artifacts", a.Label()).Msg("kept")
			if !o.asJSON {
				return nil
			}
			whole, err := jobs.Whole(job)
			if err == nil {
				rows = append(rows, whole)
			}
			return err
		})
		if len(rows) > 0 {
			return errors.Join(err, con.Encode(rows))
		}
		return err
	})
}

func deleteCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "delete",
		Usage:     "delete a job's artifacts, or all of a project's",
		UsageText: "artifetch delete [flags]",
		Description: `Takes the same query as fetch, and deletes the archive and the reports; the log
stays. With --all, GitLab deletes in the background the artifacts of all jobs, except
in the newest successful pipeline of each ref. It asks first; without a terminal, it
needs --yes. Needs a personal, project or group access token: GitLab doesn't accept
job tokens for this.

  artifetch delete --job-id 1001 --yes
  artifetch delete -R group/app --all --yes`,
		Flags: slices.Concat(queryFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "all", Category: help.Which, Usage: "delete the artifacts of all jobs of the project", DisableDefaultText: true},
			yesFlag(),
		}),
		Action: action(con, readDelete, runDelete),
	}
}

// deleteOptions are the options of delete.
type deleteOptions struct {
	targetOptions
	all, yes bool
}

func readDelete(c *cli.Context) (o deleteOptions, err error) {
	o = deleteOptions{all: c.Bool("all"), yes: readYes(c)}
	if o.targetOptions, err = readTargets(c, "deleting artifacts"); err != nil {
		return o, err
	}
	if !o.yes {
		o.asks = "delete"
	}
	if o.all && len(o.query.given) > 0 {
		return o, usage("--all deletes the artifacts of all jobs; --"+o.query.given[0]+" names some", "leave one of them out")
	}
	return o, nil
}

func runDelete(ctx context.Context, o deleteOptions, con *console.Console) error {
	if o.all {
		return connected(ctx, o.global, con, func(ctx context.Context, s *session) error { return deleteAll(ctx, s, o) })
	}
	return o.each(ctx, con, func(ctx context.Context, s *session, found []resolve.Artifact) error {
		if err := s.confirm(ctx, o.yes, fmt.Sprintf("Delete the artifacts of %s of project %s?", resolve.Labels(found), found[0].Project)); err != nil {
			return err
		}
		return jobs.Each(found, "deleted", func(a resolve.Artifact) error {
			err := s.jobs().DeleteArtifacts(ctx, a.Project, a.JobID)
			if err == nil {
				s.log.Info().Str("artifacts", a.Label()).Msg("deleted")
			}
			return err
		})
	})
}

func deleteAll(ctx context.Context, s *session, o deleteOptions) error {
	project, err := projectOf(o.query.project, s.cfg)
	switch {
	case err != nil:
		return err
	case project == "":
		return failure.ErrNoProject
	}
	if err := s.jobs().NeedsUser(o.what, "api"); err != nil {
		return err
	}
	if err := s.canAsk(o.asks == "", o.asks); err != nil {
		return err
	}
	if err := s.confirm(ctx, o.yes, fmt.Sprintf("Delete the artifacts of ALL jobs of project %s, except those of the newest successful pipeline of each ref?", project)); err != nil {
		return err
	}
	if err := s.jobs().DeleteAllArtifacts(ctx, project); err != nil {
		return err
	}
	s.log.Info().Str("project", project).Msg("GitLab deletes them in the background; the newest successful pipeline of each ref keeps its own")
	return nil
}

// targetOptions select the jobs that a command changes.
type targetOptions struct {
	global globalOptions
	query  queryOptions
	what   string // the action, for messages
	asks   string // the command, if it asks for confirmation
}

func readTargets(c *cli.Context, what string) (targetOptions, error) {
	if c.Args().Present() {
		return targetOptions{}, usage(c.Command.Name+" takes no argument", "name the job by --job-id, or by --ref and --job")
	}
	o := targetOptions{global: readGlobal(c), query: readQuery(c), what: what}
	return o, o.query.oneRef(c.Command.HelpName)
}

// each calls do with the jobs that the query finds, each identified by its ID.
func (o targetOptions) each(ctx context.Context, con *console.Console, do func(context.Context, *session, []resolve.Artifact) error) error {
	return withQuery(ctx, o.global, o.query, con, func(ctx context.Context, s *session, q resolve.Query) error {
		if err := s.jobs().NeedsUser(o.what, "api"); err != nil {
			return err
		}
		if err := s.canAsk(o.asks == "", o.asks); err != nil {
			return err
		}
		found, end := []resolve.Artifact(nil), s.spin("looking for the job")
		err := s.waiter(o.query.wait).Do(ctx, func(ctx context.Context) (err error) {
			found, err = s.resolver.Artifacts(ctx, q)
			return err
		})
		end()
		if err != nil {
			return err
		}
		for _, a := range found {
			if a.JobID == 0 {
				return usage("this token can't list jobs, so artifetch can't tell which one you mean", "name it by --job-id")
			}
		}
		return do(ctx, s, found)
	})
}
