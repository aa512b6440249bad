package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/checkout"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/internal/webaddress"
	"gitlab.com/artifetch/artifetch/resolve"
)

// queryFlags select the job.
func queryFlags() []cli.Flag {
	return []cli.Flag{
		projectFlag(),
		&cli.StringSliceFlag{Name: "ref", Aliases: []string{"r"}, Category: help.Which, Usage: "branch or tag `REF` (default: the job's own), or @default; may be repeated"},
		&cli.StringSliceFlag{Name: "job", Aliases: []string{"j"}, Category: help.Which, Usage: "full `NAME` of the job, or glob (*, ?); may be repeated"},
		&cli.StringFlag{Name: "job-id", Category: help.Which, Usage: "job `ID` or web address, instead of --ref and --job"},
		&cli.StringFlag{Name: "pipeline", Category: help.Which, Usage: "`ID`, address, current, upstream, root, latest of --ref"},
		&cli.StringFlag{Name: "sha", Category: help.Which, Usage: "the newest pipeline of the commit `SHA` that has the job"},
		&cli.StringFlag{Name: "mr", Category: help.Which, Usage: "merge request `NUMBER` or address: its newest pipeline"},
		&cli.BoolFlag{Name: "recent", Category: help.Which, Usage: "if the newest pipeline lacks the job, search older ones", DisableDefaultText: true},
		&cli.BoolFlag{Name: "any-pipeline", Category: help.Which, Usage: "newest successful job, whatever its pipeline's status", DisableDefaultText: true},
		&cli.DurationFlag{Name: "max-age", Category: help.Which, Usage: "with --recent or --any-pipeline: search back at most `DURATION`", DefaultText: "any"},
		&cli.BoolFlag{Name: "previous", Category: help.Which, Usage: "only pipelines of --ref before the running one", DisableDefaultText: true},
		&cli.BoolFlag{Name: "base", Category: help.Which, Usage: "in a merge request: the base commit, or the nearest before it with the job", DisableDefaultText: true},
		&cli.StringSliceFlag{Name: "source", Category: help.Which, Usage: "only pipelines from `SOURCE`, such as push, or !push; may be repeated"},
		&cli.BoolFlag{Name: "require-success", Category: help.Which, Usage: "with --ref: refuse a job that failed though its pipeline succeeded", DisableDefaultText: true},
		&cli.BoolFlag{Name: "any-status", Category: help.Which, Usage: "with --pipeline, --sha or --mr: also use jobs that have not succeeded", DisableDefaultText: true},
		&cli.BoolFlag{Name: "downstream", Category: help.Which, Usage: "with these: also search downstream pipelines in other projects", DisableDefaultText: true},
		&cli.DurationFlag{Name: "wait", Category: help.Which, Usage: "wait up to `DURATION` for the job to finish", DefaultText: "no time"},
	}
}

// reportFlag selects reports instead of archives.
func reportFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "report", Category: help.Select, Usage: "take report `TYPE` (junit, …) instead; may be repeated"}
}

func projectFlag() cli.Flag {
	return &cli.StringFlag{Name: "project", Aliases: []string{"R"}, Category: help.Which, Usage: "`PROJECT` id, path or address (default: $CI_PROJECT_ID, or the checkout's)"}
}

// queryOptions are the values of [queryFlags]. Their meaning depends on the environment:
// see query.
type queryOptions struct {
	asked    resolve.Query // without project, job ID, pipeline and merge request
	project  string        // ID, path or web address; empty means the job's own
	jobID    string        // number or web address
	pipeline string        // see pipelineIn
	mr       string        // number or web address
	previous bool          // before the running pipeline
	base     bool          // of the running pipeline's merge request
	given    []string      // the given flags among them, except --project
	wait     time.Duration
}

func readQuery(c *cli.Context) queryOptions {
	o := queryOptions{
		asked: resolve.Query{
			Jobs: c.StringSlice("job"), SHA: strings.ToLower(c.String("sha")),
			Reports: c.StringSlice("report"), Recent: c.Bool("recent"), AnyPipeline: c.Bool("any-pipeline"), MaxAge: c.Duration("max-age"), Sources: c.StringSlice("source"),
			RequireSuccess: c.Bool("require-success"), AnyStatus: c.Bool("any-status"), Downstream: c.Bool("downstream"),
		},
		project: readProject(c), jobID: c.String("job-id"), pipeline: c.String("pipeline"), mr: c.String("mr"), wait: c.Duration("wait"),
		previous: c.Bool("previous"), base: c.Bool("base"),
	}
	if refs := c.StringSlice("ref"); len(refs) > 0 {
		o.asked.Ref, o.asked.MoreRefs = refs[0], refs[1:]
	}
	for _, f := range queryFlags() {
		if name := f.Names()[0]; name != "project" && c.IsSet(name) {
			o.given = append(o.given, name)
		}
	}
	return o
}

// readProject reads --project for commands without a query.
func readProject(c *cli.Context) string { return c.String("project") }

// takesProject reports whether a command has the flag --project.
func takesProject(c *cli.Context) bool {
	return slices.ContainsFunc(c.Command.Flags, func(f cli.Flag) bool { return f.Names()[0] == "project" })
}

// namesProject reports whether a command line names the project: with --project, or with
// the address of something in it.
func namesProject(c *cli.Context) bool {
	words := append(c.Args().Slice(), c.String("job-id"), c.String("pipeline"), c.String("mr"))
	return readProject(c) != "" || slices.ContainsFunc(words, isAddress)
}

// query returns the query for the resolver. The running pipeline's ref is a sensible
// default only in the job's own project.
func (o queryOptions) query(cfg env.Config) (resolve.Query, error) {
	q := o.asked
	q.Project = o.project
	for _, read := range []func(env.Config, *resolve.Query) error{projectIn, o.jobIn, pipelineIn(o.pipeline), o.mergeRequestIn, o.previousIn, o.baseIn} {
		if err := read(cfg, &q); err != nil {
			return q, err
		}
	}
	own := q.Project == "" || q.Project == cfg.Project || q.Project == cfg.ProjectPath
	if q.Project == "" {
		q.Project = cfg.Project
	}
	if q.Ref == "" && own && q.NeedsRef() {
		q.Ref = cfg.Ref
	}
	return q, failure.Query(q, q.Validate())
}

// withQuery connects to GitLab and runs a command with its query.
func withQuery(ctx context.Context, g globalOptions, o queryOptions, con *console.Console, do func(context.Context, *session, resolve.Query) error) error {
	return connected(ctx, g, con, func(ctx context.Context, s *session) error {
		q, err := o.query(s.cfg)
		if err != nil {
			return err
		}
		q = s.resolver.Settle(q)
		return s.stands(ctx, q, do(ctx, s, q))
	})
}

// stands adds to an error the current state of the awaited job, or which job blocks the
// newest pipeline.
func (s *session) stands(ctx context.Context, q resolve.Query, err error) error {
	if waited, ok := errors.AsType[*retrieve.TimeoutError](err); ok {
		why := s.resolver.Explain(ctx, q, waited.Err)
		if waited.For = q.String(); why.Remedy == resolve.RemedyPlay {
			return failure.Blocked(why, err)
		}
		waited.Evidence = why.Evidence
		return err
	}
	missing, ok := errors.AsType[*resolve.NotFoundError](err)
	if ok = ok && missing.Reason() == resolve.ReasonNoSuccess || is[*resolve.StateError](err); !ok || is[*explainedError](err) {
		return err
	}
	return failure.Blocked(s.resolver.Explain(ctx, q, err), err)
}

// notInPaths removes what no project's path contains.
var notInPaths = strings.NewReplacer(`\`, "/", " ", "", `"`, "", "'", "")

// projectIn parses a project: an ID, a path, a web address, or an address for git clone.
func projectIn(cfg env.Config, q *resolve.Query) error {
	if at, ok := checkout.Parse(q.Project); ok && at.Scheme == "ssh" {
		if q.Project, ok = at.Project(cfg.APIURL); !ok {
			return &webaddress.Error{What: fmt.Sprintf("%s isn't on %s, the server in use", at.Path, cfg.APIURL.Host), Fix: "use the address of a project there", OtherServer: true}
		}
		return nil
	}
	if plain := notInPaths.Replace(q.Project); plain != q.Project && plain != "" && !webaddress.Is(q.Project) {
		return usage(fmt.Sprintf("--project: %q isn't the path of a project", q.Project), "did you mean --project "+plain+"?")
	}
	if !webaddress.Is(q.Project) {
		q.Project = resolve.ProjectName(q.Project)
		return nil
	}
	w, err := webaddress.Parse(q.Project, cfg.APIURL)
	q.Project = w.Project
	return err
}

// jobIn parses a number, or the address of a job or its artifacts.
func (o queryOptions) jobIn(cfg env.Config, q *resolve.Query) error {
	value := o.jobID
	switch {
	case value == "":
		return nil
	case !webaddress.Is(value):
		var err error
		if q.JobID, err = webaddress.ID(value); err != nil {
			return usage("--job-id must be a positive number, or the address of a job", "it is the number in the job's address")
		}
		return nil
	}
	w, err := webaddress.Parse(value, cfg.APIURL)
	if err == nil && w.JobID == 0 && w.Job == "" {
		err = usage("--job-id: no job in "+value, "a job's address ends in /-/jobs/NUMBER")
	}
	if q.Project == "" {
		q.Project = w.Project
	}
	q.JobID = w.JobID
	if w.Job != "" {
		q.Ref, q.Jobs = w.Ref, []string{w.Job}
		for _, flag := range []string{"ref", "pipeline", "sha", "mr"} {
			if err == nil && slices.Contains(o.given, flag) {
				err = usage("--job-id and --"+flag+" each say which job or pipeline", "give one of them")
			}
		}
	}
	return err
}

// mergeRequestIn parses a merge request's number, with or without the !, or its address.
func (o queryOptions) mergeRequestIn(cfg env.Config, q *resolve.Query) (err error) {
	switch {
	case o.mr == "":
		return nil
	case !webaddress.Is(o.mr):
		if q.MergeRequest, err = webaddress.ID(strings.TrimPrefix(o.mr, "!")); err != nil {
			return failure.ErrMergeRequest
		}
		return nil
	}
	w, err := webaddress.Parse(o.mr, cfg.APIURL)
	if err == nil && w.MergeRequest == 0 {
		err = usage("--mr: no merge request in "+o.mr, "a merge request's address ends in /-/merge_requests/NUMBER")
	}
	q.MergeRequest = w.MergeRequest
	q.Project = cmp.Or(q.Project, w.Project)
	return err
}
