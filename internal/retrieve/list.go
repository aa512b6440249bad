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

// The places that the list or a file of an archive can come from.
const (
	FromArchive Source = iota // the archive's own bytes, where there are ranges
	FromGitLab                // GitLab lists or unpacks it
)

// List lists what sel selects of the one archive that a query means. Where that would
// download the whole archive, it takes the server's list instead, if there is one.
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
		// GitLab drops the list of an archive that has expired, which may still be there.
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

// openAny opens the one archive that a query means, for little of it. GitLab is asked for
// the archive that it chooses itself, if it can: which job that is of doesn't matter here.
// It returns [fetch.ErrNoRanges] rather than download the whole, and then the artifact is
// known as well as the token allows.
func (i Inspector) openAny(ctx context.Context, q resolve.Query) (*fetch.File, resolve.Artifact, error) {
	if a, ok := i.Resolver.ByRef(q); ok {
		how := i.transfer(os.TempDir())
		how.Partial, how.RangesOnly = true, true
		if file, err := i.chosen(ctx, a, how); err == nil || ctx.Err() != nil {
			return file, a, err
		}
		// If GitLab has refused, the lists say why, and what else there is.
	}
	a, err := i.One(ctx, q)
	if err != nil {
		return nil, a, err
	}
	return i.openOne(ctx, q, a, true)
}

// openOne opens an archive to read a small part of it. With ranged, it returns
// [fetch.ErrNoRanges] rather than download the whole.
func (i Inspector) openOne(ctx context.Context, q resolve.Query, a resolve.Artifact, ranged bool) (*fetch.File, resolve.Artifact, error) {
	how := i.transfer(os.TempDir())
	how.Partial, how.RangesOnly = true, ranged
	return i.Open(ctx, q, a, how)
}

// serverList selects from the list that GitLab made of an archive when it was uploaded.
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
		perm, _ := e.Perm() // 0 if the directory is only implied
		mode := fs.FileMode(perm)
		if e.IsDir() {
			mode |= fs.ModeDir
		}
		listed = append(listed, extract.Listed{Name: e.Path, Mode: mode, Size: e.Size})
	}
	return extract.Select(listed, sel)
}

// unlisted explains why there is no list: the job or its archive doesn't exist, or the
// token can't see it; else the server has no such list.
func (i Inspector) unlisted(ctx context.Context, q resolve.Query, a resolve.Artifact, err error) error {
	if noEntry(err) { // an old server, which looked for a file
		return &UnlistedError{err}
	}
	_, why := i.Resolver.Fallback(ctx, q, a, err)
	if is[*resolve.NoArchiveError](why) || is[*resolve.NotFoundError](why) || is[*resolve.RefusedError](why) {
		return why
	}
	return &UnlistedError{err}
}
