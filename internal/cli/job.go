package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/webaddress"
)

func jobCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "job",
		Usage:     "show a job, read its log, cancel, retry, erase or play it",
		UsageText: "artifetch job show|log|cancel|retry|erase|play ID [flags]",
		Description: `ID is the number in a job's address, or the address. But for one's own job,
which is the default of show, all of these want the token of a user: GitLab
takes no job token for them.

  artifetch job show 1001 --format json
  artifetch job log 1001 --follow
  artifetch job play 1401 --variable TARGET=staging`,
		HideHelpCommand: true,
		Subcommands: []*cli.Command{
			jobShowCommand(con),
			jobLogCommand(con),
			jobAction{"cancel", "cancel a job that has not finished", "Developer", forceFlag(), func(ctx context.Context, c *cli.Context, s *session, p gitlab.Project, id int64) (gitlab.Job, error) {
				return s.api.CancelJob(ctx, p, id, c.Bool("force"))
			}}.command(con),
			jobAction{"retry", "run a finished job again, as a new job, which is shown", "Developer", nil, func(ctx context.Context, _ *cli.Context, s *session, p gitlab.Project, id int64) (gitlab.Job, error) {
				return s.api.RetryJob(ctx, p, id)
			}}.command(con),
			jobAction{"erase", "delete the archive, the reports and the log of a finished job", "Maintainer, or Developer for jobs of one's own,", yesFlag(), func(ctx context.Context, c *cli.Context, s *session, p gitlab.Project, id int64) (gitlab.Job, error) {
				if err := s.confirm(ctx, c, fmt.Sprintf("Delete the archive, the reports and the log of job %d of project %s?", id, p)); err != nil {
					return gitlab.Job{}, err
				}
				return s.api.EraseJob(ctx, p, id)
			}}.command(con),
			jobAction{"play", "start a manual or scheduled job", "Developer", variableFlag(), func(ctx context.Context, c *cli.Context, s *session, p gitlab.Project, id int64) (gitlab.Job, error) {
				variables, err := readVariables(c)
				if err != nil {
					return gitlab.Job{}, err
				}
				return s.api.PlayJob(ctx, p, id, variables)
			}}.command(con),
		},
		Action: noSubcommand,
	}
}

// noSubcommand runs when the word behind a command is none of its own.
func noSubcommand(c *cli.Context) error {
	if !c.Args().Present() {
		return cli.ShowSubcommandHelp(c)
	}
	var names []string
	for _, sub := range c.Command.Subcommands {
		names = append(names, sub.Name)
	}
	return &usageError{fmt.Sprintf("no command %q of %s", c.Args().First(), c.Command.Name), "it is one of " + strings.Join(names, ", ")}
}

func forceFlag() cli.Flag {
	return &cli.BoolFlag{Name: "force", Usage: "also one whose runner does not answer (maintainers only)", DisableDefaultText: true}
}

func variableFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "variable", Usage: "start it with the variable `KEY=VALUE`; may be repeated"}
}

// readVariables reads --variable.
func readVariables(c *cli.Context) ([]gitlab.Variable, error) {
	var variables []gitlab.Variable
	for _, given := range c.StringSlice("variable") {
		key, value, ok := strings.Cut(given, "=")
		if !ok || key == "" {
			return nil, &usageError{"--variable " + given + " is not KEY=VALUE", "an empty value is KEY="}
		}
		variables = append(variables, gitlab.Variable{Key: key, Value: value})
	}
	return variables, nil
}

// jobAction is a command that does something to a job, and shows the job that the
// server answers with.
type jobAction struct {
	name, usage string
	role        string   // who may
	flag        cli.Flag // of its own; may be nil
	do          func(context.Context, *cli.Context, *session, gitlab.Project, int64) (gitlab.Job, error)
}

func (a jobAction) command(con *console.Console) *cli.Command {
	flags := []cli.Flag{projectFlag(), formatFlag()}
	if a.flag != nil {
		flags = append(flags, a.flag)
	}
	return &cli.Command{
		Name: a.name, Usage: a.usage, UsageText: "artifetch job " + a.name + " ID [flags]", Flags: flags,
		Action: func(c *cli.Context) error {
			return withSession(c, con, func(ctx context.Context, s *session) error {
				project, id, err := jobArgument(c, s.cfg)
				if err != nil {
					return err
				}
				if err := s.needsUser("job "+a.name, "api"); err != nil {
					return err
				}
				asJSON, err := wantsJSON(c)
				if err != nil {
					return err
				}
				job, err := a.do(ctx, c, s, gitlab.Project(project), id)
				if err != nil {
					return acted(err, project, id, a.role)
				}
				return showJob(con, job, asJSON)
			})
		},
	}
}

func showJob(con *console.Console, job gitlab.Job, asJSON bool) error {
	if asJSON {
		return con.Encode(newJobRow(job))
	}
	return printJob(con.Masked(), job)
}

func jobShowCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name: "show", Usage: "show a job", UsageText: "artifetch job show [ID] [flags]",
		Description: "Without an ID, the job that it runs in.",
		Flags:       []cli.Flag{projectFlag(), formatFlag()},
		Action: func(c *cli.Context) error {
			return withSession(c, con, func(ctx context.Context, s *session) error {
				asJSON, err := wantsJSON(c)
				if err != nil {
					return err
				}
				job, err := s.oneJob(ctx, c)
				if err != nil {
					return err
				}
				return showJob(con, job, asJSON)
			})
		},
	}
}

// oneJob finds the job that is meant. A job token may ask for its own alone, by
// another route.
func (s *session) oneJob(ctx context.Context, c *cli.Context) (gitlab.Job, error) {
	own := !c.Args().Present()
	if s.cfg.Token.Kind == env.JobToken && own {
		job, err := s.api.CurrentJob(ctx)
		return job, s.currentJobError(err)
	}
	project, id, err := jobArgument(c, s.cfg)
	if err != nil {
		return gitlab.Job{}, err
	}
	if s.cfg.Token.Kind == env.JobToken && id == s.cfg.JobID {
		job, err := s.api.CurrentJob(ctx)
		return job, s.currentJobError(err)
	}
	if err := s.needsUser("showing another job", "read_api"); err != nil {
		return gitlab.Job{}, err
	}
	job, err := s.api.Job(ctx, gitlab.Project(project), id)
	return job, explained(err, project, id, "read_api", "Reporter")
}

// currentJobError explains why there is no job behind the token.
func (s *session) currentJobError(err error) error {
	if errors.Is(err, gitlab.ErrUnauthorized) {
		return &actionError{err, "a job token is valid only while its job runs; is this one from a job that has ended?"}
	}
	return err
}

// jobArgument reads the ID or web address that a command of one job takes.
func jobArgument(c *cli.Context, cfg env.Config) (project string, id int64, err error) {
	if project, err = projectOf(readProject(c), cfg); err != nil {
		return "", 0, err
	}
	switch value := c.Args().First(); {
	case c.NArg() > 1:
		return "", 0, &usageError{"one job at a time", "give one ID"}
	case value == "" && cfg.JobID != 0 && c.Command.Name == "show":
		id = cfg.JobID
	case value == "":
		return "", 0, &usageError{"no job given", "give its ID: the number in the job's address, or the address"}
	case webaddress.Is(value):
		w, err := webaddress.Parse(value, cfg.APIURL)
		if err == nil && w.JobID == 0 {
			err = &usageError{"no job in " + value, "a job's address ends in /-/jobs/NUMBER"}
		}
		if err != nil {
			return "", 0, err
		}
		if id = w.JobID; readProject(c) == "" {
			project = w.Project
		}
	default:
		if id, err = webaddress.ID(value); err != nil {
			return "", 0, err
		}
	}
	if project == "" {
		return "", 0, errNoProject
	}
	return project, id, nil
}
