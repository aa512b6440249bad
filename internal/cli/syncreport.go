package cli

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/messages"
	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/internal/printable"
	"gitlab.com/artifetch/artifetch/manifest"
)

// syncReport reports what sync has done or would do.
type syncReport struct {
	*session
	asJSON bool
}

// drift reports which sources could be updated.
func (r syncReport) drift(plans []*pin.Plan) error {
	drifted := 0
	for _, p := range plans {
		if !p.Drifted() {
			continue
		}
		drifted++
		if err := r.line(moved(p)); err != nil {
			return err
		}
	}
	if drifted > 0 {
		return &failure.Error{Code: failure.CodeIntegrity, What: fmt.Sprintf("%d of %d sources are not what their queries mean now", drifted, len(plans)), Next: "artifetch sync --update moves them"}
	}
	r.log.Info().Int("sources", len(plans)).Msg("every source is what its query means")
	return nil
}

// plan reports what would be fetched.
func (r syncReport) plan(syncer *pin.Syncer, plans []*pin.Plan) error {
	for _, p := range plans {
		what := "in place"
		switch {
		case p.Downloads() && p.Pinned:
			what = fmt.Sprintf("fetch again: job %d, as locked", p.Entry.JobID)
		case p.Downloads():
			what = "fetch: " + strings.TrimPrefix(moved(p), p.Source.Name+": ")
		case p.Entry.JobID == 0:
			what = "nothing: there is no such job"
		}
		if err := r.line(p.Source.Name + ": " + what); err != nil {
			return err
		}
	}
	for _, e := range syncer.Dropped() {
		if err := r.line(e.Name + ": not in the manifest anymore: remove its files"); err != nil {
			return err
		}
	}
	return nil
}

// done reports what was fetched, and prints what has moved.
func (r syncReport) done(syncer *pin.Syncer, plans []*pin.Plan) error {
	dropped := syncer.Dropped()
	if !slices.ContainsFunc(plans, (*pin.Plan).Downloads) && len(dropped)+len(syncer.Extras) == 0 {
		r.log.Info().Int("sources", len(plans)).Msg("everything is in place")
	}
	list, err := r.fetched(syncer, plans)
	if err != nil {
		return err
	}
	if n := syncer.ExtrasRemoved(); n > 0 && !syncer.DryRun {
		r.log.Info().Int("files", n).Msg("extra files removed")
	}
	for _, e := range dropped {
		if err := r.line(fmt.Sprintf("%s: not in the manifest anymore, files: %d removed", e.Name, len(prunedOf(syncer, e)))); err != nil {
			return err
		}
	}
	r.report(list, "source")
	return nil
}

// fetched returns what has arrived, and prints what has moved, unless the result says so on
// the same terminal.
func (r syncReport) fetched(syncer *pin.Syncer, plans []*pin.Plan) (list []arrived, err error) {
	here := !syncer.DryRun && r.concludesHere()
	for _, p := range plans {
		if !p.Downloads() {
			continue
		}
		if !syncer.DryRun {
			into := filepath.Join(syncer.Root, filepath.FromSlash(pin.Output(p.Source)))
			a := arrived{Result: p.Result, source: p.Source.Name, into: into, anyStatus: p.Source.AnyStatus}
			if here && !p.Pinned {
				a.change = moves(p)
			}
			list = append(list, a)
		}
		if p.Pinned || here {
			continue
		}
		if err := r.line(moved(p) + changes(p)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// extras lists the files that --prune removes, before it does.
func (r syncReport) extras(paths []string) error {
	for _, path := range paths {
		if err := r.line("extra: " + path); err != nil {
			return err
		}
	}
	return nil
}

func (r syncReport) line(text string) error {
	if r.asJSON { // its list contains everything
		return nil
	}
	_, err := fmt.Fprintln(r.con.Out, printable.Text(text))
	return err
}

// concludesHere reports whether the lines about the result go to the terminal that also
// shows standard output: there, one line a source is enough.
func (r syncReport) concludesHere() bool {
	return r.con.OutIsTerminal() && r.con.Watched() && r.concludes() && !r.asJSON
}

// moves says how a source differs from what was locked, after the line about its job.
func moves(p *pin.Plan) string {
	switch {
	case p.Before == nil:
		return ""
	case p.Changed:
		return "another archive than before" + changes(p)
	case p.Before.JobID == p.Entry.JobID:
		return strings.TrimPrefix(changes(p), ", ")
	}
	return "was " + jobInWords(*p.Before) + changes(p)
}

// moved says from where to where a source moves.
func moved(p *pin.Plan) string {
	to := jobInWords(p.Entry)
	switch {
	case p.Before == nil:
		return p.Source.Name + ": " + to
	case p.Changed:
		return p.Source.Name + ": " + to + ", whose archive is another one now"
	case p.Before.JobID == p.Entry.JobID && p.Was == nil:
		return p.Source.Name + ": " + to + ", the same job"
	case p.Before.JobID == p.Entry.JobID:
		return p.Source.Name + ": " + to + ", as locked"
	}
	return p.Source.Name + ": " + jobInWords(*p.Before) + " → " + to
}

func jobInWords(e manifest.Locked) string {
	if e.JobID == 0 {
		return "no such job"
	}
	return fmt.Sprintf("pipeline %s, job %s, commit %s", orUnknown(e.PipelineID), orUnknown(e.JobID), short(e.SHA))
}

func short(sha string) string { return cmp.Or(sha[:min(len(sha), 10)], "unknown") }

// maxNamed is how many changed files to list.
const maxNamed = 10

// changes says which files are new, gone or changed.
func changes(p *pin.Plan) string {
	if p.Before == nil {
		n := p.Count()
		return ", " + messages.Files(n.Files, n.Links)
	}
	list := p.Changes()
	if len(list) == 0 {
		return ", the same files"
	}
	var names, counts []string
	for _, f := range list[:min(len(list), maxNamed)] {
		names = append(names, string(f.Kind)+f.Path)
	}
	if len(list) > maxNamed {
		names = append(names, "…")
	}
	for _, kind := range kinds {
		if paths := pathsOf(list, kind.sign); len(paths) > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", len(paths), kind.word))
		}
	}
	return ", files: " + strings.Join(counts, ", ") + ": " + strings.Join(names, " ")
}

// kinds are those of [pin.FileChange].
var kinds = []struct {
	sign byte
	word string
}{{'+', "added"}, {'-', "removed"}, {'~', "changed"}}

func pathsOf(list []pin.FileChange, sign byte) []string {
	paths := []string{}
	for _, f := range list {
		if f.Kind == sign {
			paths = append(paths, f.Path)
		}
	}
	return paths
}

// syncedSource is what sync does to one source, in JSON.
type syncedSource struct {
	Source  string     `json:"source"  doc:"name in the manifest"`
	Action  string     `json:"action"  doc:"none; fetch, for files that were not in place; update, for another job, archive or query; drop, for a source that is not in the manifest anymore"`
	Before  *syncedJob `json:"before"  doc:"what was locked; null if it was not"`
	After   *syncedJob `json:"after"   doc:"what is locked now; null if the job doesn't exist"`
	Added   []string   `json:"added"   doc:"paths that were not locked; with --dry-run and --check, known only for --update"`
	Removed []string   `json:"removed" doc:"paths that are no longer locked; for drop, those that are removed"`
	Changed []string   `json:"changed" doc:"paths whose content or mode differs"`
}

// syncedJob is the job of a source.
type syncedJob struct {
	PipelineID *int64  `json:"pipeline_id"`
	JobID      int64   `json:"job_id"`
	Ref        *string `json:"ref"`
	SHA        *string `json:"sha" doc:"commit"`
}

func jobOfEntry(e *manifest.Locked) *syncedJob {
	if e == nil || e.JobID == 0 {
		return nil
	}
	return &syncedJob{known(e.PipelineID), e.JobID, known(e.Ref), known(e.SHA)}
}

// prunedOf returns the files of an entry that are removed, except those that another
// source has now, or that have changed.
func prunedOf(syncer *pin.Syncer, e manifest.Locked) []string {
	paths := []string{}
	for _, f := range e.Files {
		if slices.Contains(syncer.Pruned, f.Path) {
			paths = append(paths, f.Path)
		}
	}
	return paths
}

// json prints what was done or would be done.
func (r syncReport) json(syncer *pin.Syncer, plans []*pin.Plan) error {
	rows := make([]syncedSource, 0, len(plans))
	for _, p := range plans {
		row := syncedSource{Source: p.Source.Name, Action: "none", Before: jobOfEntry(p.Before), After: jobOfEntry(&p.Entry)}
		list := p.Changes()
		if !p.Loaded() {
			list = nil // the archive's content isn't known
		}
		row.Added, row.Removed, row.Changed = pathsOf(list, '+'), pathsOf(list, '-'), pathsOf(list, '~')
		switch {
		case p.Downloads() && p.Pinned:
			row.Action = "fetch"
		case p.Downloads() || p.Drifted():
			row.Action = "update"
		}
		rows = append(rows, row)
	}
	for _, e := range syncer.Dropped() {
		rows = append(rows, syncedSource{Source: e.Name, Action: "drop", Before: jobOfEntry(&e), Added: []string{}, Removed: prunedOf(syncer, e), Changed: []string{}})
	}
	return r.con.Encode(rows)
}
