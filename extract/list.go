package extract

import (
	"context"
	"errors"
	"io/fs"
	"time"
)

// Listed is an entry of an archive as its directory has it.
type Listed struct {
	Name    string // as it stands in the archive; of a directory, with a slash at its end
	Mode    fs.FileMode
	Size    int64 // bytes, uncompressed
	Packed  int64 // bytes, compressed
	ModTime time.Time
	CRC32   uint32
}

// ErrNotListed reports an archive that has no directory to list.
var ErrNotListed = errors.New("only zip archives have a directory to list")

// List lists what o selects of a zip archive, in the order of its directory. It
// reads the directory and nothing else. Names are not checked for safety: nothing
// is written.
func List(ctx context.Context, src Source, o Options) ([]Listed, error) {
	form, err := recognise(ctx, src)
	switch {
	case err != nil:
		return nil, err
	case form != nil:
		return nil, ErrNotListed
	}
	entries, err := readDirectory(src, src.Size(), o.withDefaults())
	if err != nil {
		return nil, err
	}
	return selectListed(entries, o)
}

// Select is what o selects of a list that came from elsewhere.
func Select(listed []Listed, o Options) ([]Listed, error) {
	entries := make([]*entry, len(listed))
	for i, l := range listed {
		entries[i] = &entry{name: l.Name, mode: l.Mode, size: l.Size, packed: l.Packed, modTime: l.ModTime, crc: l.CRC32}
	}
	return selectListed(entries, o)
}

func selectListed(entries []*entry, o Options) ([]Listed, error) {
	for _, e := range entries {
		var err error
		if e.path, err = platformRules().cleanName(e.name, true); err != nil {
			e.path = e.name // unpacking it would be refused
		}
	}
	selected, err := selectEntries(entries, o)
	if err != nil {
		return nil, err
	}
	listed := make([]Listed, len(selected))
	for i, e := range selected {
		listed[i] = Listed{e.name, e.mode, e.size, e.packed, e.modTime, e.crc}
	}
	return listed, nil
}
