package retrieve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Source says who reads the directory of an archive.
type Source int

// Where the list or a file of an archive can come from.
const (
	FromArchive Source = iota // the archive's own bytes, if the server supports ranges
	FromGitLab                // GitLab lists or unpacks it
)

// List lists the selected files of a query's only archive. If that would download the
// whole archive, it uses the server's list instead, if that exists.
func (i Inspector) List(ctx context.Context, q resolve.Query, sel extract.Selection, from Source) ([]extract.Listed, error) {
	if len(q.Reports) > 0 {
		return i.listReports(ctx, q, sel)
	}
	if from == FromGitLab {
		a, err := i.One(ctx, q)
		if err != nil {
			return nil, err
		}
		return i.serverList(ctx, q, a, sel)
	}
	file, a, err := i.openAny(ctx, q)
	if errors.Is(err, fetch.ErrNoRanges) {
		// GitLab drops the list of an expired archive, which may still exist.
		if listed, err := i.serverList(ctx, q, a, sel); err == nil || !is[*UnlistedError](err) && !is[*gitlab.Error](err) {
			return listed, err
		}
		file, a, err = i.openOne(ctx, q, a, false)
	}
	if err != nil {
		return nil, err
	}
	listed, err := extract.List(ctx, file, sel)
	if err != nil {
		err = fmt.Errorf("archive of %s: %w", a.Label(), err)
	}
	tell(i.Events.Listed, file.Stats())
	return listed, errors.Join(err, file.Close())
}

// openAny opens the only archive of a query to read a small part of it. If possible, it
// requests the archive that GitLab selects by ref: its job doesn't matter here. Rather
// than download the whole archive, it returns [fetch.ErrNoRanges], with the artifact as
// complete as the token allows.
func (i Inspector) openAny(ctx context.Context, q resolve.Query) (*fetch.File, resolve.Artifact, error) {
	if a, ok := i.Resolver.ByRef(q); ok {
		how := i.transfer(os.TempDir())
		how.Partial, how.RangesOnly = true, true
		if file, err := i.chosen(ctx, a, how); err == nil || ctx.Err() != nil {
			return file, a, err
		}
		// If GitLab has refused, lists show why, and what else is available.
	}
	a, err := i.One(ctx, q)
	if err != nil {
		return nil, a, err
	}
	return i.openOne(ctx, q, a, true)
}

// openOne opens an archive to read a small part of it. With ranged, it returns
// [fetch.ErrNoRanges] rather than download the whole archive.
func (i Inspector) openOne(ctx context.Context, q resolve.Query, a resolve.Artifact, ranged bool) (*fetch.File, resolve.Artifact, error) {
	how := i.transfer(os.TempDir())
	how.Partial, how.RangesOnly = true, ranged
	return i.Open(ctx, q, a, how)
}

// serverList selects from the list that GitLab created at the upload.
func (i Inspector) serverList(ctx context.Context, q resolve.Query, a resolve.Artifact, sel extract.Selection) ([]extract.Listed, error) {
	if a.JobID == 0 {
		return nil, &UnlistedError{&UnknownIDError{a}}
	}
	var listed []extract.Listed
	for e, err := range i.API.Tree(ctx, gitlab.Project(a.Project), a.JobID, "", true) {
		if is[*gitlab.Error](err) {
			return nil, i.unlisted(ctx, q, a, err)
		}
		if err != nil {
			return nil, err
		}
		perm, _ := e.Perm() // 0 for a directory without an entry
		mode := fs.FileMode(perm)
		if e.IsDir() {
			mode |= fs.ModeDir
		}
		listed = append(listed, extract.Listed{Name: e.Path, Mode: mode, Size: e.Size})
	}
	return extract.Select(listed, sel)
}

// unlisted explains why the list doesn't exist: the job or its archive doesn't exist, the
// token can't see it, or the server doesn't have such lists.
func (i Inspector) unlisted(ctx context.Context, q resolve.Query, a resolve.Artifact, err error) error {
	if noEntry(err) { // an old server, which looked for a file with that name
		return &UnlistedError{err}
	}
	_, why := i.Resolver.Fallback(ctx, q, a, err)
	if is[*resolve.NoArchiveError](why) || is[*resolve.NotFoundError](why) || is[*resolve.RefusedError](why) {
		return why
	}
	return &UnlistedError{err}
}
