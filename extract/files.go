package extract

import (
	"context"
	"io"
	"io/fs"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/staging"
)

// File is a single file that doesn't come from an archive.
type File struct {
	Name string      // as in the archive that it was uploaded with
	Mode fs.FileMode // zero means 0644
	Size int64
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// AddFiles puts single files into the stage, by the rules for files of an
// archive. After an error the stage can only be discarded.
func (s *Stage) AddFiles(ctx context.Context, files []File, o Options) (Stats, error) {
	return s.adding(ctx, o, func(o Options) (Stats, error) {
		entries := make([]*entry, len(files))
		content := map[*entry]File{}
		for i, f := range files {
			if f.Mode == 0 {
				f.Mode = archive.DefaultMode
			}
			entries[i] = &entry{Header: &archive.Header{Name: f.Name, Mode: f.Mode.Perm(), Size: f.Size}}
			content[entries[i]] = f
		}
		selected, stats, err := s.selection(entries, o)
		if err == nil {
			err = s.reserveSpace(stats.Bytes)
		}
		if err != nil {
			return Stats{}, err
		}
		for _, e := range selected {
			if err := s.addFile(ctx, e, content[e], o.Label); err != nil {
				return Stats{}, err
			}
			o.OnFile(e.dest, e.Size)
		}
		return stats, nil
	})
}

func (s *Stage) addFile(ctx context.Context, e *entry, from File, by string) error {
	r, err := from.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // read to its end, or abandoned
	f, err := s.dir.Create(staging.NewFile{Path: e.dest, Mode: e.Mode, Entry: e.Name, By: by})
	if err != nil {
		return err
	}
	return f.Close(archive.Copy(&f, &archive.Sized{R: r, Header: e.Header}, make([]byte, archive.CopyBuffer)))
}
