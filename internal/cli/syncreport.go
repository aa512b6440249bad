package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/printable"
	"gitlab.com/artifetch/artifetch/manifest"
)

// reportDrift says which sources could be moved.
func (y *syncer) reportDrift(plans []*plan) error {
	drifted := 0
	for _, p := range plans {
		if p.was != nil && p.was.JobID == p.entry.JobID && !p.changed {
			continue
		}
		drifted++
		if _, err := fmt.Fprintln(y.out, printable.Text(p.moved())); err != nil {
			return err
		}
	}
	if drifted > 0 {
		return &lockError{fmt.Sprintf("%d of %d sources are not what their queries mean now", drifted, len(plans)), "artifetch sync --update moves them"}
	}
	y.log.Info().Int("sources", len(plans)).Msg("every source is what its query means")
	return nil
}

// reportPlan says what would be fetched.
func (y *syncer) reportPlan(plans []*plan) error {
	for _, p := range plans {
		what := "in place"
		switch {
		case p.artifact != nil && p.pinned:
			what = fmt.Sprintf("fetch again: job %d, as it is locked", p.entry.JobID)
		case p.artifact != nil:
			what = "fetch: " + p.moved()
		case p.entry.JobID == 0:
			what = "nothing: there is no such job"
		}
		if _, err := fmt.Fprintln(y.out, printable.Text(p.source.Name+": "+what)); err != nil {
			return err
		}
	}
	return nil
}

// reportDone says what has come, and prints what has moved.
func (y *syncer) reportDone(plans []*plan) error {
	if !slices.ContainsFunc(plans, func(p *plan) bool { return p.artifact != nil }) {
		y.log.Info().Int("sources", len(plans)).Msg("everything is in place")
	}
	for _, p := range plans {
		if p.artifact == nil {
			continue
		}
		y.report(y.log.Info().Str("source", p.source.Name), p.came, filepath.Join(y.root, filepath.FromSlash(outputOf(p.source))))
		if p.pinned {
			continue
		}
		if _, err := fmt.Fprintln(y.out, printable.Text(p.moved()+changes(p.was, p.entry))); err != nil {
			return err
		}
	}
	return nil
}

// moved says from where to where a source goes.
func (p *plan) moved() string {
	to := fmt.Sprintf("pipeline %s, job %s, commit %s", orUnknown(p.entry.PipelineID), orUnknown(p.entry.JobID), short(p.entry.SHA))
	if p.entry.JobID == 0 {
		to = "no such job"
	}
	switch {
	case p.was == nil:
		return p.source.Name + ": " + to
	case p.changed:
		return p.source.Name + ": " + to + ", whose archive is another one now"
	case p.was.JobID == p.entry.JobID:
		return p.source.Name + ": " + to + ", as it is locked"
	}
	return fmt.Sprintf("%s: pipeline %s, job %s, commit %s → %s", p.source.Name, orUnknown(p.was.PipelineID), orUnknown(p.was.JobID), short(p.was.SHA), to)
}

func short(sha string) string {
	if sha == "" {
		return "unknown"
	}
	return sha[:min(len(sha), 10)]
}

// maxNamed is how many changed files are named.
const maxNamed = 10

// changes says which files are new, gone or changed.
func changes(was *manifest.Locked, now manifest.Locked) string {
	if was == nil {
		return fmt.Sprintf(", %d files", len(now.Files))
	}
	before := map[string]manifest.LockFile{}
	for _, f := range was.Files {
		before[f.Path] = f
	}
	var changed []string
	for _, f := range now.Files {
		old, known := before[f.Path]
		delete(before, f.Path)
		switch {
		case !known:
			changed = append(changed, "+"+f.Path)
		case old != f:
			changed = append(changed, "~"+f.Path)
		}
	}
	for path := range before {
		changed = append(changed, "-"+path)
	}
	slices.SortFunc(changed, func(a, b string) int { return strings.Compare(a[1:], b[1:]) })
	text := fmt.Sprintf(", %d files changed", len(changed))
	if len(changed) > maxNamed {
		return text + ": " + strings.Join(changed[:maxNamed], " ") + " …"
	}
	return strings.TrimSuffix(text+": "+strings.Join(changed, " "), ": ")
}
