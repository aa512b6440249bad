package extract

import (
	"context"
	"io/fs"

	"golang.org/x/sync/errgroup"
)

// zip extracts the selection of a zip archive into the stage.
func (s *Stage) zip(ctx context.Context, src Source, o Options) (Stats, error) {
	entries, err := readDirectory(src, src.Size(), o)
	if err != nil {
		return Stats{}, err
	}
	for _, e := range entries {
		if err := checkZip(e); err != nil {
			return Stats{}, err
		}
	}
	selected, stats, err := s.selection(entries, o)
	if err != nil {
		return Stats{}, err
	}
	if err := s.claim(stats.Bytes); err != nil {
		return Stats{}, err
	}
	return stats, s.unzip(ctx, src, selected, o)
}

// selection checks all entries and returns those that o asks for.
func (s *Stage) selection(entries []*entry, o Options) ([]*entry, Stats, error) {
	if err := check(entries, s.rules, o); err != nil {
		return nil, Stats{}, err
	}
	selected, err := selectEntries(entries, o)
	if err == nil && (o.renames() || s.rules != (rules{})) {
		err = s.rules.fit(selected)
	}
	if err != nil {
		return nil, Stats{}, err
	}
	if err := o.spent.count(len(entries), o); err != nil {
		return nil, Stats{}, err
	}
	stats, err := tally(selected, o)
	return selected, stats, err
}

// Flags of an entry: APPNOTE 4.4.4.
const (
	flagEncrypted       = 1 << 0
	flagStrongEncrypted = 1 << 6
	flagMaskedHeaders   = 1 << 13
)

// checkZip refuses what cannot be unpacked, before anything is.
func checkZip(e *entry) error {
	if e.flags&(flagEncrypted|flagStrongEncrypted|flagMaskedHeaders) != 0 {
		return &UnsafeError{e.name, "it is encrypted"}
	}
	if name, known := methodName(e.method); !known {
		return &UnsafeError{e.name, "it is compressed by " + name + ", which is not supported"}
	}
	if e.method == methodStore && e.packed != e.size {
		return corrupt(e.name, "it is stored, but has two sizes")
	}
	if e.isDir() && e.size != 0 {
		return corrupt(e.name, "it is a directory, but has content")
	}
	if e.mode.Type()&^(fs.ModeDir|fs.ModeSymlink) != 0 {
		return &UnsafeError{e.name, "it is a device, a pipe or a socket"}
	}
	return nil
}

// tally counts what is selected, and holds it against the limit before a byte is
// written. That no entry has more bytes than it says is seen to when it is
// written.
func tally(selected []*entry, o Options) (Stats, error) {
	var stats Stats
	for _, e := range selected {
		if err := o.spent.take(e.size, o); err != nil {
			return Stats{}, err
		}
		stats.add(e)
	}
	return stats, nil
}

// unzip decodes what is selected, and notes directories for finish.
func (s *Stage) unzip(ctx context.Context, src Source, selected []*entry, o Options) error {
	for _, e := range selected {
		if e.isDir() {
			s.wantDir(e.dest, e.mode, e.modTime)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	c := newCrew(ctx, group, s, src, o)
	regions := plan(selected, o)
	var planned int64
	for _, r := range regions {
		planned += r.end - r.off
	}
	o.OnPlan(planned)
	return c.work(regions)
}
