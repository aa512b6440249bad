package retrieve

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/resolve"
)

// unmatched collects the patterns that match nothing in a report. Each must match in at
// least one report of its job, not in all of them.
type unmatched struct {
	mu   sync.Mutex
	jobs map[int64][]*extract.NoMatchError // one for each report without a match, by job
}

// ofReport returns the function that collects the patterns of one report.
func (u *unmatched) ofReport(a resolve.Artifact) func(*extract.NoMatchError) {
	return func(missing *extract.NoMatchError) {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.jobs[a.JobID] = append(u.jobs[a.JobID], missing)
	}
}

// check returns an error if a pattern has matched in no report of a job.
func (u *unmatched) check(artifacts []resolve.Artifact) error {
	count := map[int64]int{}
	for _, a := range artifacts {
		count[a.JobID]++
	}
	for _, a := range artifacts {
		missing := u.jobs[a.JobID]
		if len(missing) < count[a.JobID] {
			continue // each pattern matches in the reports that aren't here
		}
		if err := nowhere(missing); err != nil {
			a.Report = resolve.Report{}
			return fmt.Errorf("reports of %s: %w", a.Label(), err)
		}
	}
	return nil
}

// nowhere returns an error with the patterns that are missing in all reports, or nil.
func nowhere(missing []*extract.NoMatchError) error {
	found := &extract.NoMatchError{Reports: len(missing)}
	for _, text := range missing[0].Patterns {
		if !slices.ContainsFunc(missing, func(e *extract.NoMatchError) bool { return !slices.Contains(e.Patterns, text) }) {
			found.Patterns = append(found.Patterns, text)
		}
	}
	if len(found.Patterns) == 0 {
		return nil
	}
	for _, e := range missing {
		found.Meant = cmp.Or(found.Meant, e.Meant)
		found.Near, found.Top = append(found.Near, e.Near...), append(found.Top, e.Top...)
	}
	return found
}

// inReports says that patterns were looked for in reports.
func inReports(err error, n int) error {
	if missing, ok := errors.AsType[*extract.NoMatchError](err); ok {
		missing.Reports = n
	}
	return err
}

// ofOneJob reports whether the artifacts are reports of a single job.
func ofOneJob(artifacts []resolve.Artifact) bool {
	return !slices.ContainsFunc(artifacts, func(a resolve.Artifact) bool { return a.Report.Type == "" || a.JobID != artifacts[0].JobID })
}
