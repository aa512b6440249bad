package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Where a server has no ranges, a few files of a large archive are asked for one
// by one: GitLab unpacks them itself. It does not say whether such a file is a
// link, and sends the link's target in its place; nor does it send modes. The
// list of the archive (since GitLab 18.8) has the modes, and links stand out by
// theirs. Without it, the whole archive has to come.

// fewFiles is up to how many files are worth a request each: every one makes the
// server read the archive's directory again.
const fewFiles = 3

// wantsFew reports whether the selection is a few names.
func (f *fetcher) wantsFew(a resolve.Artifact) bool {
	return f.cacheDir == "" && f.sha256 == "" && !f.digest && !f.provenance && f.extract.Record == nil && a.JobID != 0 && len(f.extract.Include) > 0 && len(f.extract.Include) <= fewFiles && len(f.extract.Exclude) == 0 &&
		!slices.ContainsFunc(f.extract.Include, func(name string) bool { return strings.ContainsAny(name, `*?[{\`) })
}

// addFiles adds the wanted files one by one. It reports false if that cannot be
// done as well as out of the archive.
func (f *fetcher) addFiles(ctx context.Context, stage *extract.Stage, a resolve.Artifact, o extract.Options, meter *fetch.Meter) (done bool, stats extract.Stats, err error) {
	wanted, err := f.listed(ctx, a)
	if err != nil || wanted == nil {
		return false, stats, err
	}
	files := make([]extract.File, len(wanted))
	for i, e := range wanted {
		perm, _ := e.Perm() // known, or it would not be here
		files[i] = extract.File{Name: e.Path, Mode: fs.FileMode(perm), Size: e.Size, Open: func(ctx context.Context) (io.ReadCloser, error) {
			how := f.transfer(stage.Path())
			how.Meter, how.Size = meter, e.Size
			return f.openFile(ctx, a, e.Path, how)
		}}
	}
	stats, err = stage.AddFiles(ctx, files, o)
	return err == nil, stats, err
}

// listed finds the wanted files in the server's list of the archive. It returns
// none if one of them is not there as a plain file.
func (f *fetcher) listed(ctx context.Context, a resolve.Artifact) ([]gitlab.TreeEntry, error) {
	var found []gitlab.TreeEntry
	for _, name := range f.extract.Include {
		name = path.Clean(name)
		dir, _ := path.Split(name)
		var one *gitlab.TreeEntry
		for e, err := range f.api.Tree(ctx, gitlab.Project(a.Project), a.JobID, dir, false) {
			if err != nil {
				return nil, unlessRefused(err)
			}
			if e.Path == name {
				one = &e
				break
			}
		}
		if one == nil || !plainFile(*one) {
			return nil, nil
		}
		if !slices.ContainsFunc(found, func(e gitlab.TreeEntry) bool { return e.Path == name }) {
			found = append(found, *one)
		}
	}
	return found, nil
}

// plainFile reports whether an entry is a file, and surely no link.
func plainFile(e gitlab.TreeEntry) bool {
	perm, known := e.Perm()
	return !e.IsDir() && known && perm != 0o777
}

// unlessRefused keeps an error that is more than a route that is not there, or
// not open.
func unlessRefused(err error) error {
	if _, refused := errors.AsType[*gitlab.Error](err); refused {
		return nil
	}
	return err
}

func (f *fetcher) openFile(ctx context.Context, a resolve.Artifact, name string, how fetch.Options) (io.ReadCloser, error) {
	file, err := fetch.Open(ctx, f.api.FileURL(gitlab.Project(a.Project), a.JobID, name), how)
	if err != nil {
		return nil, err
	}
	body, err := file.Range(ctx, 0, file.Size())
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return closers{body, file}, nil
}

// closers closes the body of a file, and the file.
type closers struct {
	io.ReadCloser
	file io.Closer
}

// Close implements [io.Closer].
func (c closers) Close() error { return errors.Join(c.ReadCloser.Close(), c.file.Close()) }
