package retrieve

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// If a server doesn't support ranges, a few files of a large archive are downloaded one
// by one: GitLab unpacks them. It doesn't say whether a file is a link, and sends the
// link's target instead; it doesn't send modes either. The archive's list (since GitLab
// 18.8) has the modes, which also reveal links. Without it, the whole archive is
// downloaded.

// maxSingleFiles is how many files to request one by one: for each, the server reads the
// archive's directory again.
const maxSingleFiles = 3

// wantsSingleFiles reports whether the task only needs a few files by name, and nothing
// about the whole archive.
func (l *Loader) wantsSingleFiles(t Task) bool {
	names := t.Extract.Include
	if l.Cache.Dir != "" || t.Checks != (Checks{}) || t.Extract.Record != nil || t.Artifact.JobID == 0 && t.lookup == nil {
		return false
	}
	isGlob := func(name string) bool { return strings.ContainsAny(name, `*?[{\`) }
	return len(names) > 0 && len(names) <= maxSingleFiles && len(t.Extract.Exclude) == 0 && !slices.ContainsFunc(names, isGlob)
}

// loadFiles adds the wanted files one by one. It returns false if the result would differ
// from extracting the archive.
func (l *Loader) loadFiles(ctx context.Context, stage *extract.Stage, t Task) (done bool, stats extract.Stats, err error) {
	if t.Artifact.JobID == 0 {
		return false, stats, nil
	}
	wanted, err := l.plainFiles(ctx, t.Artifact, t.Extract.Include)
	if err != nil || wanted == nil {
		return false, stats, err
	}
	files := make([]extract.File, len(wanted))
	for i, e := range wanted {
		perm, _ := e.Perm() // known, as plainFile has checked
		files[i] = extract.File{Name: e.Path, Mode: fs.FileMode(perm), Size: e.Size, Open: func(ctx context.Context) (io.ReadCloser, error) {
			how := l.how(stage, t)
			how.Size, how.Whole = e.Size, true // it has no checksum
			return openBody(ctx, l.API.FileURL(gitlab.Project(t.Artifact.Project), t.Artifact.JobID, e.Path), how)
		}}
	}
	stats, err = stage.AddFiles(ctx, files, t.Extract)
	return err == nil, stats, err
}

// plainFiles finds files in the server's list of an archive. If one of them isn't listed
// as a plain file, or the server has no list, it returns none.
func (o *Opener) plainFiles(ctx context.Context, a resolve.Artifact, names []string) ([]gitlab.TreeEntry, error) {
	var found []gitlab.TreeEntry
	for _, name := range names {
		name = path.Clean(name)
		e, err := o.listedEntry(ctx, a, name)
		switch {
		case is[*gitlab.Error](err):
			return nil, nil // the server has no such list, or the token can't see it
		case err != nil:
			return nil, err
		case e == nil || !plainFile(*e):
			return nil, nil
		}
		if !slices.ContainsFunc(found, func(e gitlab.TreeEntry) bool { return e.Path == name }) {
			found = append(found, *e)
		}
	}
	return found, nil
}

// listedEntry looks for one name in the server's list of its directory.
func (o *Opener) listedEntry(ctx context.Context, a resolve.Artifact, name string) (*gitlab.TreeEntry, error) {
	dir, _ := path.Split(name)
	for e, err := range o.API.Tree(ctx, gitlab.Project(a.Project), a.JobID, dir, false) {
		if err != nil {
			return nil, err
		}
		if e.Path == name {
			return &e, nil
		}
	}
	return nil, nil
}

// plainFile reports whether an entry is certainly a file rather than a link.
func plainFile(e gitlab.TreeEntry) bool {
	perm, known := e.Perm()
	return !e.IsDir() && known && perm != 0o777
}

// noEntry reports whether err is Workhorse's 404, which it sends after looking into the
// archive: GitLab's own 404 is JSON (workhorse/internal/artifacts/entry.go).
func noEntry(err error) bool {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	return ok && refusal.StatusCode == http.StatusNotFound && refusal.Message == "404 page not found"
}

// openBody opens a file that GitLab unpacks, from its beginning.
func openBody(ctx context.Context, url string, how fetch.Options) (io.ReadCloser, error) {
	file, err := fetch.Open(ctx, url, how)
	if err != nil {
		return nil, err
	}
	body, err := file.Range(ctx, 0, file.Size())
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return fileBody{body, file}, nil
}

// fileBody is a body that also closes its file.
type fileBody struct {
	io.ReadCloser
	file *fetch.File
}

// Close implements [io.Closer].
func (b fileBody) Close() error { return errors.Join(b.ReadCloser.Close(), b.file.Close()) }
