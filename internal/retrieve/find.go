package retrieve

import (
	"context"
	"errors"

	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Inspector finds archives, and reads parts of one without downloading more than needed.
// It is safe for concurrent use.
type Inspector struct{ *Opener }

// One resolves a query for a single archive. If it finds several, the error is a
// [*SeveralJobsError].
func (i Inspector) One(ctx context.Context, q resolve.Query) (resolve.Artifact, error) {
	found, err := i.Resolver.Artifacts(ctx, q)
	switch {
	case err != nil:
		return resolve.Artifact{}, err
	case len(found) > 1:
		return resolve.Artifact{}, &SeveralJobsError{Jobs: len(found), Reports: ofOneJob(found)}
	}
	return found[0], nil
}

// Describe resolves a query and completes each artifact. If no list has shown an
// archive's size, it requests the first bytes, whose answer has the size and, on new
// servers, the digest.
func (i Inspector) Describe(ctx context.Context, q resolve.Query) ([]resolve.Artifact, error) {
	found, err := i.Resolver.Artifacts(ctx, q)
	for n := range found {
		if found[n], err = i.Resolver.Describe(ctx, found[n]); err == nil && found[n].Size == 0 {
			found[n], err = i.Probe(ctx, q, found[n])
		}
		if err != nil {
			return nil, err
		}
	}
	return found, err
}

// Reach resolves a query, and checks that each archive can be downloaded.
func (i Inspector) Reach(ctx context.Context, q resolve.Query) ([]resolve.Artifact, error) {
	found, err := i.Resolver.Artifacts(ctx, q)
	for n := range found {
		if found[n], err = i.Probe(ctx, q, found[n]); err != nil {
			return nil, err
		}
	}
	return found, err
}

// Probe checks that an archive can be downloaded, by requesting its first bytes. The
// answer has its size, and on new servers its SHA-256. Without range requests, the size
// stays unknown.
func (i Inspector) Probe(ctx context.Context, q resolve.Query, a resolve.Artifact) (resolve.Artifact, error) {
	how := i.transfer("")
	how.Partial, how.RangesOnly = true, true
	file, a, err := i.Open(ctx, q, a, how)
	if errors.Is(err, fetch.ErrNoRanges) {
		return a, nil // it can be downloaded
	}
	if err != nil {
		return a, err
	}
	a.Size, a.SHA256 = file.Size(), file.SHA256()
	return a, file.Close()
}
