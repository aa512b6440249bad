package retrieve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// pin finds the job of an archive that GitLab chooses, while its bytes already arrive.
// Whether it is the job of these bytes is checked in the end: see agree.
type pin struct {
	opener   *Opener
	query    resolve.Query
	soon     chan fetch.Listing // what the list says, as soon as it does
	done     chan struct{}
	artifact resolve.Artifact
	err      error
}

// newPin starts to list. It ends with ctx.
func (o *Opener) newPin(ctx context.Context, q resolve.Query) *pin {
	p := &pin{opener: o, query: q, soon: make(chan fetch.Listing, 1), done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.artifact, p.err = o.Resolver.OnRef(ctx, q)
		if p.artifact.Size > 0 {
			listed := fetch.Listing{Size: p.artifact.Size}
			if settled(p.artifact) {
				listed.URL = p.artifact.URL
			}
			p.soon <- listed
		}
	}()
	return p
}

// found waits for the job.
func (p *pin) found() (resolve.Artifact, error) {
	<-p.done
	return p.artifact, p.err
}

// open opens the archive that GitLab chooses. If GitLab refuses that, the lists say what is
// missing; and the job that they name may be had in another way.
func (p *pin) open(ctx context.Context, q resolve.Query, a resolve.Artifact, how fetch.Options) (*fetch.File, resolve.Artifact, error) {
	how.Soon = p.soon
	file, err := p.opener.chosen(ctx, a, how)
	if !refused(err) && !p.opener.mayProxy(err) {
		return file, a, err
	}
	listed, listErr := p.found()
	if listErr != nil {
		return nil, a, listErr
	}
	switch {
	case listed.JobID == 0 && !refused(err):
		listed = a
	case listed.JobID == 0, resolve.Refused(err):
		// By its id, the job would be refused for the same reason.
		if listed, err = p.opener.Resolver.Fallback(ctx, q, listed, err); err != nil {
			return nil, a, err
		}
		tell(p.opener.Events.FallingBack, listed)
	}
	return p.opener.Open(ctx, q, listed, how)
}

// refused reports whether GitLab says that there is no such archive, or not for this token.
func refused(err error) bool {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	return ok && !refusal.FromStorage && (resolve.Refused(err) || refusal.StatusCode == http.StatusNotFound)
}

// AnotherJobError reports that GitLab has sent another job's archive than its lists
// name: a pipeline has ended meanwhile.
type AnotherJobError struct{ Artifact resolve.Artifact }

// Error implements error.
func (e *AnotherJobError) Error() string {
	return fmt.Sprintf("the archive that GitLab sent is not that of %s, which its lists name now", e.Artifact.Label())
}

// Unwrap returns [fetch.ErrChanged].
func (*AnotherJobError) Unwrap() error { return fetch.ErrChanged }

// settledFor is how long nothing may have happened to the pipelines of a ref for it to be
// certain that the list and the download mean the same one, even if clocks differ.
const settledFor = time.Minute

// settled reports whether it is certain that a download means the job that was listed.
func settled(a resolve.Artifact) bool {
	return !a.Settled.IsZero() && time.Since(a.Settled) > settledFor
}

// agree returns the job of an archive that came by ref: the one that was listed, if that
// is certain; what is requested later is requested by its id. If the token can't list jobs, the
// artifact stays as it is. The error is an [*AnotherJobError] if the lists name a job with
// another archive.
func (p *pin) agree(ctx context.Context, file *fetch.File, a resolve.Artifact) (resolve.Artifact, error) {
	listed, err := p.found()
	switch {
	case ctx.Err() != nil:
		return a, context.Cause(ctx)
	case err != nil:
		return a, err
	case a.JobID != 0 || listed.JobID == 0: // the lists were needed to open it, or are closed
		return a, nil
	case listed.Size != file.Size():
		return a, &AnotherJobError{listed}
	case settled(listed):
		file.Pin(listed.URL)
		return listed, nil
	}
	same, err := file.SameAt(ctx, listed.URL)
	switch {
	case err != nil:
		return listed, err
	case !same:
		return listed, &AnotherJobError{listed}
	}
	file.Pin(listed.URL)
	return listed, nil
}
