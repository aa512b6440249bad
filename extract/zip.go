package extract

import (
	"context"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
	"gitlab.com/artifetch/artifetch/extract/internal/unzip"
	"gitlab.com/artifetch/artifetch/extract/internal/zipfile"
)

// zip extracts the selection of a zip archive into the stage.
func (s *Stage) zip(ctx context.Context, src Source, o Options) (Stats, error) {
	entries, err := zipEntries(src, o.budget)
	if err != nil {
		return Stats{}, err
	}
	for _, e := range entries {
		if err := unzip.Check(e.zip); err != nil {
			return Stats{}, err
		}
	}
	selected, stats, err := s.selection(entries, o)
	if err != nil {
		return Stats{}, err
	}
	if err := s.reserveSpace(stats.Bytes); err != nil {
		return Stats{}, err
	}
	return stats, s.unzip(ctx, src, selected, o)
}

// zipEntries reads the directory of a zip archive.
func zipEntries(src Source, b *budget) ([]*entry, error) {
	listed, err := zipfile.ReadDirectory(src, src.Size(), b)
	if err != nil {
		return nil, err
	}
	all, entries := make([]entry, len(listed)), make([]*entry, len(listed))
	for i := range listed {
		all[i].zip, all[i].Header = &listed[i], &listed[i].Header
		entries[i] = &all[i]
	}
	return entries, nil
}

// selection checks all entries and returns those that o selects.
func (s *Stage) selection(entries []*entry, o Options) ([]*entry, Stats, error) {
	if err := check(entries, s.rules, o); err != nil {
		return nil, Stats{}, err
	}
	selected, err := selectEntries(entries, o.Selection)
	if err = o.unmatched(err); err == nil && (o.renames() || s.rules != (names.Rules{})) {
		err = fit(s.rules, selected)
	}
	if err != nil {
		return nil, Stats{}, err
	}
	if err := o.budget.count(len(entries)); err != nil {
		return nil, Stats{}, err
	}
	stats, err := tally(selected, o.budget)
	return selected, stats, err
}

// tally counts the selected entries, and charges their size to the budget before any byte
// is written. An entry with more bytes than it says is refused later.
func tally(selected []*entry, b *budget) (Stats, error) {
	var stats Stats
	for _, e := range selected {
		if err := b.take(e.Size); err != nil {
			return Stats{}, err
		}
		stats.add(e)
	}
	return stats, nil
}

// unzip decodes the selected entries, and notes directories for finish.
func (s *Stage) unzip(ctx context.Context, src Source, selected []*entry, o Options) error {
	zips := make([]*zipfile.Entry, len(selected))
	for i, e := range selected {
		zips[i] = e.zip
		if e.IsDir() {
			s.wantDir(e.dest, e.Mode, e.ModTime)
		}
	}
	sink := &zipSink{s, selected, o}
	return unzip.Extract(ctx, src, zips, sink, unzip.Options{Pace: o.Pace, Large: s.large, OnPlan: o.OnPlan, OnRead: o.OnRead})
}

// zipSink puts entries of a zip archive into the stage.
type zipSink struct {
	stage    *Stage
	selected []*entry
	opts     Options
}

// Create implements [unzip.Sink].
func (z *zipSink) Create(i int) (unzip.File, error) { return z.stage.create(z.selected[i], &z.opts) }

// Link implements [unzip.Sink].
func (z *zipSink) Link(i int, target string) error {
	return z.stage.wantLink(z.selected[i], target, z.opts)
}
