package retrieve

import (
	"context"
	"errors"

	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Inspector says what there is, and looks into one archive without downloading more of
// it than needed. It is safe for concurrent use.
type Inspector struct{ *Opener }

// One resolves a query that means one archive. The error is a [*SeveralJobsError] if it
// means several.
func (i Inspector) One(ctx context.Context, q resolve.Query) (resolve.Artifact, error) {
	found, err := i.Resolver.Artifacts(ctx, q)
	switch {
	case err != nil:
		return resolve.Artifact{}, err
	case len(found) > 1:
		return resolve.Artifact{}, &SeveralJobsError{Jobs: len(found)}
	}
	return found[0], nil
}

// Describe resolves a query, and finds out what can be known of each archive. If
// no list has shown its size, it asks for the first bytes of the archive, which tell the
// size and, on new servers, the digest.
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

// Reach resolves a query, and makes sure that each archive can be downloaded.
func (i Inspector) Reach(ctx context.Context, q resolve.Query) ([]resolve.Artifact, error) {
	found, err := i.Resolver.Artifacts(ctx, q)
	for n := range found {
		if found[n], err = i.Probe(ctx, q, found[n]); err != nil {
			return nil, err
		}
	}
	return found, err
}

// Probe makes sure that an archive can be downloaded, by asking for its first bytes.
// They tell its size, and on new servers its SHA-256. Where there are no ranges, the size
// isn't known.
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
