package cli

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

// What ls and cat have in common: they look into one archive.

// list reads the directory of the one archive that a query means. Where that would
// bring the whole archive, the server's own list is cheaper.
func (s *session) list(ctx context.Context, q resolve.Query, o extract.Options, server bool) ([]extract.Listed, error) {
	a, err := s.one(ctx, q)
	if err != nil {
		return nil, err
	}
	if server {
		return s.serverList(ctx, q, a, o)
	}
	file, a, err := s.openOne(ctx, q, a, true)
	if errors.Is(err, fetch.ErrNoRanges) {
		// An archive that has expired has no list any more, but may be there.
		if listed, err := s.serverList(ctx, q, a, o); err == nil || !isUnlisted(err) && !is[*gitlab.Error](err) {
			return listed, err
		}
		file, a, err = s.openOne(ctx, q, a, false)
	}
	if err != nil {
		return nil, err
	}
	listed, err := extract.List(ctx, file, o)
	if err != nil {
		err = fmt.Errorf("archive of %s: %w", a.Label(), err)
	}
	s.log.Debug().Int64("bytes", file.Stats().Bytes).Int64("requests", file.Stats().Requests).Msg("listed")
	return listed, errors.Join(err, file.Close())
}

// one finds the one archive that a query means.
func (s *session) one(ctx context.Context, q resolve.Query) (resolve.Artifact, error) {
	found, err := s.resolver.Artifacts(ctx, q)
	switch {
	case err != nil:
		return resolve.Artifact{}, err
	case len(found) > 1:
		return resolve.Artifact{}, &usageError{fmt.Sprintf("%d jobs are meant", len(found)), "this command looks into one archive: name one job"}
	}
	return found[0], nil
}

// openOne opens an archive to look for something in it. Where there are no
// ranges, the whole archive has to come, unless ranged forbids that.
func (s *session) openOne(ctx context.Context, q resolve.Query, a resolve.Artifact, ranged bool) (*fetch.File, resolve.Artifact, error) {
	f := fetcher{session: s, query: q}
	how := f.transfer(os.TempDir())
	how.Partial, how.RangesOnly = true, ranged
	return f.open(ctx, a, how)
}

// unlistedError reports an archive that the server has no list of.
type unlistedError struct{ err error }

// Error implements error.
func (e *unlistedError) Error() string { return e.err.Error() }

// Unwrap gives what the server says.
func (e *unlistedError) Unwrap() error { return e.err }

// Hint says what to do next.
func (*unlistedError) Hint() string {
	return "GitLab lists archives since 18.8, of jobs whose id is known; without --server the archive itself is asked"
}

func isUnlisted(err error) bool { return is[*unlistedError](err) }

// serverList is the list that GitLab made of an archive when it was uploaded.
func (s *session) serverList(ctx context.Context, q resolve.Query, a resolve.Artifact, o extract.Options) ([]extract.Listed, error) {
	if a.JobID == 0 {
		return nil, &unlistedError{&usageError{what: fmt.Sprintf("the ID of %s is not known, because this token cannot list jobs", a.Label())}}
	}
	var listed []extract.Listed
	for e, err := range s.api.Tree(ctx, gitlab.Project(a.Project), a.JobID, "", true) {
		if is[*gitlab.Error](err) {
			return nil, s.unlisted(ctx, q, a, err)
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
	return extract.Select(listed, o)
}

// unlisted explains why there is no list: the job or its archive is not there, or
// the token may not see it; else the server has no such list.
func (s *session) unlisted(ctx context.Context, q resolve.Query, a resolve.Artifact, err error) error {
	if noEntry(err) { // it looked for a file
		return &unlistedError{err}
	}
	_, why := s.resolver.Fallback(ctx, q, a, err)
	if is[*resolve.NoArchiveError](why) || is[*resolve.NotFoundError](why) || is[*resolve.RefusedError](why) {
		return why
	}
	return &unlistedError{err}
}
