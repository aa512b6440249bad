package extract

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/staging"
	"gitlab.com/artifetch/artifetch/extract/internal/zipfile"
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

// CheckEnd returns an error if src isn't an archive, or if it is a zip without its end:
// the records that say where its directory is.
func CheckEnd(ctx context.Context, src Source) error {
	form, err := recognize(ctx, src)
	if err == nil && form == nil {
		err = zipfile.CheckEnd(src, src.Size())
	}
	return err
}

// NewFile creates a file for [Stage.AddWhole] beside the stage's files. It is removed with
// the stage. The caller closes it.
func (s *Stage) NewFile() (*os.File, error) {
	s.mu.Lock()
	s.whole++
	name := "whole-" + strconv.Itoa(s.whole)
	s.mu.Unlock()
	return os.OpenFile(filepath.Join(s.Path(), name), os.O_RDWR|os.O_CREATE|os.O_EXCL, wholeMode&^s.opts.Umask)
}

const wholeMode = 0o666 // before the umask

// AddWhole puts a file of [Stage.NewFile], which is closed and has so many bytes, into
// the stage under a path. After an error the stage can only be discarded.
func (s *Stage) AddWhole(ctx context.Context, file string, size int64, path string) (Stats, error) {
	return s.adding(ctx, Options{Selection: Selection{Prefix: path}}, func(o Options) (Stats, error) {
		n := staging.NewFile{Path: o.Prefix, Mode: wholeMode, Entry: path}
		return Stats{Files: 1, Bytes: size}, s.dir.Adopt(filepath.Base(file), n)
	})
}
