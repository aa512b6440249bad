package cli

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/internal/printable"
)

// syncReport says what sync has done, or would do.
type syncReport struct{ *session }

// drift says which sources could be moved.
func (r syncReport) drift(plans []*pin.Plan) error {
	drifted := 0
	for _, p := range plans {
		if !p.Drifted() {
			continue
		}
		drifted++
		if _, err := fmt.Fprintln(r.con.Out, printable.Text(moved(p))); err != nil {
			return err
		}
	}
	if drifted > 0 {
		return &failure.Error{Code: failure.CodeIntegrity, What: fmt.Sprintf("%d of %d sources are not what their queries mean now", drifted, len(plans)), Next: "artifetch sync --update moves them"}
	}
	r.log.Info().Int("sources", len(plans)).Msg("every source is what its query means")
	return nil
}

// plan says what would be fetched.
func (r syncReport) plan(plans []*pin.Plan) error {
	for _, p := range plans {
		what := "in place"
		switch {
		case p.Downloads() && p.Pinned:
			what = fmt.Sprintf("fetch again: job %d, as locked", p.Entry.JobID)
		case p.Downloads():
			what = "fetch: " + moved(p)
		case p.Entry.JobID == 0:
			what = "nothing: there is no such job"
		}
		if _, err := fmt.Fprintln(r.con.Out, printable.Text(p.Source.Name+": "+what)); err != nil {
			return err
		}
	}
	return nil
}

// done says what has come, and prints what has moved.
func (r syncReport) done(root string, plans []*pin.Plan) error {
	if !slices.ContainsFunc(plans, (*pin.Plan).Downloads) {
		r.log.Info().Int("sources", len(plans)).Msg("everything is in place")
	}
	for _, p := range plans {
		if !p.Downloads() {
			continue
		}
		r.report(r.outcome(p.Result.Artifact, p.Source.AnyStatus).Str("source", p.Source.Name), p.Result, filepath.Join(root, filepath.FromSlash(pin.Output(p.Source))))
		if p.Pinned {
			continue
		}
		if _, err := fmt.Fprintln(r.con.Out, printable.Text(moved(p)+changes(p))); err != nil {
			return err
		}
	}
	return nil
}

// moved says from where to where a source goes.
func moved(p *pin.Plan) string {
	to := fmt.Sprintf("pipeline %s, job %s, commit %s", orUnknown(p.Entry.PipelineID), orUnknown(p.Entry.JobID), short(p.Entry.SHA))
	if p.Entry.JobID == 0 {
		to = "no such job"
	}
	switch {
	case p.Was == nil:
		return p.Source.Name + ": " + to
	case p.Changed:
		return p.Source.Name + ": " + to + ", whose archive is another one now"
	case p.Was.JobID == p.Entry.JobID:
		return p.Source.Name + ": " + to + ", as locked"
	}
	return fmt.Sprintf("%s: pipeline %s, job %s, commit %s → %s", p.Source.Name, orUnknown(p.Was.PipelineID), orUnknown(p.Was.JobID), short(p.Was.SHA), to)
}

func short(sha string) string { return cmp.Or(sha[:min(len(sha), 10)], "unknown") }

// maxNamed is how many changed files are named.
const maxNamed = 10

// changes says which files are new, gone or changed.
func changes(p *pin.Plan) string {
	if p.Was == nil {
		return fmt.Sprintf(", %d files", len(p.Entry.Files))
	}
	list := p.Changes()
	var names []string
	for _, f := range list[:min(len(list), maxNamed)] {
		names = append(names, string(f.Kind)+f.Path)
	}
	text := fmt.Sprintf(", %d files changed", len(list))
	if len(list) > maxNamed {
		names = append(names, "…")
	}
	return strings.TrimSuffix(text+": "+strings.Join(names, " "), ": ")
}
