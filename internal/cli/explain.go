package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/printable"
	"gitlab.com/artifetch/artifetch/resolve"
)

func explainCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "say why a query finds nothing",
		UsageText: "artifetch explain [flags]",
		Description: `Takes the same query as fetch, makes a handful of requests, and says what is
wrong, what the server says about it, and what to do. The exit code is the one
that fetch would end with.

  artifetch explain --ref main --job biuld
  artifetch explain -R group/lib -r v1.0 -j package --format json`,
		Flags:  slices.Concat(queryFlags(), []cli.Flag{formatFlag()}),
		Action: action(con, readExplain, runExplain),
	}
}

// explainOptions are the options of explain.
type explainOptions struct {
	global globalOptions
	query  queryOptions
	asJSON bool
}

func readExplain(c *cli.Context) (o explainOptions, err error) {
	o = explainOptions{global: readGlobal(c), query: readQuery(c)}
	if c.Args().Present() {
		return o, usage("explain takes no PATH", "it is about the job, not about files")
	}
	o.asJSON, err = wantsJSON(c)
	return o, err
}

func runExplain(ctx context.Context, o explainOptions, con *console.Console) error {
	return withQuery(ctx, o.global, o.query, con, func(ctx context.Context, s *session, q resolve.Query) error {
		end := s.spin("looking for the job")
		defer end()
		found, err := s.inspector().Reach(ctx, q)
		if err == nil {
			end()
			return sayFound(con, found, o.asJSON)
		}
		why := s.resolver.Explain
		if failure.OfStorage(err) {
			why = storageFails
		} else if code := failure.Of(err); code == failure.CodeServer || code == failure.CodeInternal || code > failure.CodeWaited {
			return err // nothing is wrong with the query
		}
		x := why(ctx, q, err)
		end()
		if err := sayWhyNot(con, x, s.lacking(err), o.asJSON); err != nil {
			return err
		}
		return &explainedError{err}
	})
}

// storageFails explains an error of the storage: GitLab redirects to it, so the job and
// its archive exist.
func storageFails(_ context.Context, _ resolve.Query, err error) resolve.Explanation {
	return resolve.Explanation{
		Reason: resolve.ReasonStorage, Cause: err.Error(), Evidence: []string{"GitLab redirects to its storage, so the job has an archive, and the token may read it"},
	}
}

// explainedError is an error that was explained on standard output.
type explainedError struct{ err error }

// Error implements error.
func (e *explainedError) Error() string { return e.err.Error() }

// Unwrap returns the error.
func (e *explainedError) Unwrap() error { return e.err }

// explanation is the result in JSON.
type explanation struct {
	Found    bool     `json:"found"`
	Reason   string   `json:"reason,omitempty"   doc:"for programs: job_not_found, expired, forbidden, …"`
	Cause    string   `json:"cause,omitempty"`
	Evidence []string `json:"evidence,omitempty" doc:"what the server says"`
	Remedy   string   `json:"remedy,omitempty"`
	JobIDs   []int64  `json:"job_ids,omitempty"  doc:"of what was found"`
	Statuses []string `json:"statuses,omitempty" doc:"of these jobs"`
}

func sayFound(con *console.Console, found []resolve.Artifact, asJSON bool) error {
	if !asJSON {
		for _, a := range found {
			but := ""
			if a.Failed() {
				but = ", although the job is " + a.Status + ": GitLab hands it out, unless --require-success refuses it"
			}
			if _, err := fmt.Fprintf(con.Told(), "nothing is wrong: %s of project %s has an archive of %s%s\n", printable.Text(a.Label()), printable.Text(a.Project), console.Size(a.Size), printable.Text(but)); err != nil {
				return err
			}
		}
		return nil
	}
	x := explanation{Found: true}
	for _, a := range found {
		if a.JobID != 0 {
			x.JobIDs, x.Statuses = append(x.JobIDs, a.JobID), append(x.Statuses, a.Status)
		}
	}
	return con.EncodeTold(x)
}

func sayWhyNot(con *console.Console, why resolve.Explanation, err error, asJSON bool) error {
	remedy := failure.Remedy(why, err)
	if asJSON {
		return con.EncodeTold(explanation{Reason: string(why.Reason), Cause: why.Cause, Evidence: why.Evidence, Remedy: remedy})
	}
	var lines [][2]string
	add := func(label, text string) {
		if text != "" {
			lines = append(lines, [2]string{label, failure.FirstLine(text)})
		}
	}
	add("cause:", why.Cause)
	for _, seen := range why.Evidence {
		add("evidence:", seen)
	}
	add("remedy:", remedy)
	return con.TellLabelled(lines, len("evidence:"))
}
