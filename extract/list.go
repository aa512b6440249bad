package extract

import (
	"context"
	"io/fs"
	"time"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// Listed is an entry of an archive as its directory has it.
type Listed struct {
	Name    string // as in the archive; a directory's ends in a slash
	Mode    fs.FileMode
	Size    int64 // bytes, uncompressed
	Packed  int64 // bytes, compressed
	ModTime time.Time
	CRC32   uint32
}

// List lists what sel selects of a zip archive, in the order of its directory. It
// reads nothing but the directory. It doesn't check names for safety, because it
// writes nothing.
func List(ctx context.Context, src Source, sel Selection) ([]Listed, error) {
	return list(ctx, src, sel, newBudget(Limits{}))
}

func list(ctx context.Context, src Source, sel Selection, b *budget) ([]Listed, error) {
	if err := mustBeZip(ctx, src); err != nil {
		return nil, err
	}
	entries, err := zipEntries(src, b)
	if err != nil {
		return nil, err
	}
	selected, err := selectAnyName(entries, sel)
	listed := make([]Listed, len(selected))
	for i, e := range selected {
		listed[i] = Listed{e.Name, e.Mode, e.Size, e.zip.Packed, e.ModTime, e.CRC32}
	}
	return listed, err
}

// mustBeZip returns a [*NotZipError] if src is an archive in another format.
func mustBeZip(ctx context.Context, src Source) error {
	form, err := recognize(ctx, src)
	if err == nil && form != nil {
		err = &NotZipError{form.name}
	}
	return err
}

// Select returns what sel selects of a list from elsewhere.
func Select(listed []Listed, sel Selection) ([]Listed, error) {
	entries := make([]*entry, len(listed))
	origin := make(map[*entry]int, len(listed))
	for i, l := range listed {
		entries[i] = &entry{Header: &archive.Header{Name: l.Name, Mode: l.Mode}}
		origin[entries[i]] = i
	}
	selected, err := selectAnyName(entries, sel)
	found := make([]Listed, len(selected))
	for i, e := range selected {
		found[i] = listed[origin[e]]
	}
	return found, err
}

// selectAnyName selects entries, whose names may be unsafe.
func selectAnyName(entries []*entry, sel Selection) ([]*entry, error) {
	for _, e := range entries {
		var err error
		if e.path, err = names.Platform().Clean(e.Name, true); err != nil {
			e.path = e.Name // unpacking it would be refused
		}
	}
	return selectEntries(entries, sel)
}
