package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/cli/internal/dotenv"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/resolve"
)

func resolveCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "resolve",
		Usage:     "print which job, pipeline and archive a query means",
		UsageText: "artifetch resolve [flags]",
		Description: `Takes the same query as fetch, and downloads nothing. With --if-missing ignore, it
says whether the archive exists: found is true or false, in the JSON output
and, as ARTIFACT_FOUND, in the dotenv report; the exit code is 0 either way.

  artifetch resolve --ref main --job build
  artifetch resolve --pipeline current --job 'test *' --format json
  artifetch resolve -R group/lib -r v1.0 -j package --dotenv build.env
  artifetch resolve -r main -j build --if-missing ignore --format json`,
		Flags:  slices.Concat(queryFlags(), []cli.Flag{ifMissingFlag(), formatFlag()}, dotenvFlags()),
		Action: action(con, readResolve, runResolve),
	}
}

// resolveOptions are the options of resolve.
type resolveOptions struct {
	global  globalOptions
	query   queryOptions
	missing missingPolicy
	report  dotenv.Report
	asJSON  bool
}

func readResolve(c *cli.Context) (o resolveOptions, err error) {
	o = resolveOptions{global: readGlobal(c), query: readQuery(c)}
	if c.Args().Present() {
		return o, usage("resolve takes no PATH", "it says which job is meant; fetch takes paths")
	}
	if o.asJSON, err = wantsJSON(c); err != nil {
		return o, err
	}
	if o.report, err = readDotenv(c); err != nil {
		return o, err
	}
	o.missing, err = readMissing(c)
	return o, err
}

func runResolve(ctx context.Context, o resolveOptions, con *console.Console) error {
	return withQuery(ctx, o.global, o.query, con, func(ctx context.Context, s *session, q resolve.Query) error {
		found, end := []resolve.Artifact(nil), s.spin("looking for the job")
		err := s.waiter(o.query.wait).Do(ctx, func(ctx context.Context) (err error) {
			found, err = s.inspector().Describe(ctx, q)
			return err
		})
		end()
		why := err
		if err = o.missing.allow(s, err, "nothing found"); err != nil {
			return err
		}
		if err := s.writeReport(ctx, o.report, dotenv.Variables(found), found); err != nil {
			return err
		}
		return o.print(con, found, why)
	})
}

// print prints the result. If a missing job isn't an error, it also prints whether
// something was found, and if not, why.
func (o resolveOptions) print(con *console.Console, found []resolve.Artifact, why error) error {
	answer := resolvedAnswer{Found: why == nil, Jobs: resolvedJobs(found)}
	if r, ok := errors.AsType[reasoner](why); ok {
		answer.Reason, answer.Cause = known(string(r.Reason())), known(why.Error())
	}
	switch {
	case o.asJSON && o.missing != "fail":
		return con.Encode(answer)
	case o.asJSON:
		return con.Encode(answer.Jobs)
	case why != nil:
		return console.Pairs(con.Masked(), [][2]string{{"found", "false"}, {"reason", orNone(answer.Reason)}, {"cause", orNone(answer.Cause)}})
	}
	return printText(con, found)
}

// reasoner is an error with a reason for programs.
type reasoner interface {
	error
	Reason() resolve.Reason
}

// resolvedAnswer says in JSON whether a query finds something, and what.
type resolvedAnswer struct {
	Found  bool          `json:"found"`
	Reason *string       `json:"reason" doc:"why nothing is found, for programs: job_not_found, expired, …"`
	Cause  *string       `json:"cause"  doc:"the same, for people"`
	Jobs   []resolvedJob `json:"jobs"   doc:"as without --if-missing"`
}

// resolvedJob is an artifact in JSON. Unknown values are null.
type resolvedJob struct {
	Project       string     `json:"project"        doc:"id or path, as it was given"`
	PipelineID    *int64     `json:"pipeline_id"`
	Ref           *string    `json:"ref"`
	SHA           *string    `json:"sha"            doc:"commit"`
	JobID         *int64     `json:"job_id"`
	Job           *string    `json:"job"            doc:"name"`
	Status        *string    `json:"status"         doc:"of the job"`
	Size          *int64     `json:"size"           doc:"bytes of the archive"`
	SHA256        *string    `json:"sha256"         doc:"of the archive, if the server sends it"`
	ExpiresAt     *time.Time `json:"expires_at"`
	WebURL        *string    `json:"web_url"`
	Found         string     `json:"found"          doc:"how: job id, listing, ref, list of project"`
	PipelinesBack int        `json:"pipelines_back" doc:"how many newer successful pipelines lack it; with --base, how many commits"`
}

// known returns nil for the zero value.
func known[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func resolvedJobs(found []resolve.Artifact) []resolvedJob {
	rows := make([]resolvedJob, len(found))
	for i, a := range found {
		rows[i] = resolvedJob{
			Project: a.Project, PipelineID: known(a.PipelineID), Ref: known(a.Ref), SHA: known(a.SHA), JobID: known(a.JobID), Job: known(a.JobName),
			Status: known(a.Status), Size: known(a.Size), SHA256: known(a.SHA256), ExpiresAt: a.ExpireAt, WebURL: known(a.WebURL), Found: string(a.Found), PipelinesBack: a.Back,
		}
	}
	return rows
}

func printText(con *console.Console, found []resolve.Artifact) error {
	out := con.Masked()
	for i, a := range found {
		if i > 0 {
			if _, err := fmt.Fprintln(out); err != nil {
				return err
			}
		}
		if err := console.Pairs(out, [][2]string{
			{"project", a.Project}, {"pipeline", orUnknown(a.PipelineID)}, {"ref", a.Ref}, {"sha", a.SHA},
			{"job_id", orUnknown(a.JobID)}, {"job", a.JobName}, {"status", a.Status}, {"size", orUnknown(a.Size)},
			{"sha256", a.SHA256}, {"expires_at", console.Time(a.ExpireAt)}, {"found by", string(a.Found)}, {"pipelines back", back(a.Back)}, {"web", a.WebURL},
		}); err != nil {
			return err
		}
	}
	return nil
}

func orUnknown(n int64) string {
	if n == 0 {
		return "unknown"
	}
	return strconv.FormatInt(n, 10)
}

func back(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
