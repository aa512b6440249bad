package retrieve

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// jobLookup finds the job of an archive that GitLab selects by ref, while its bytes already
// arrive. At the end, agree checks that the bytes belong to this job.
type jobLookup struct {
	opener   *Opener
	query    resolve.Query
	soon     chan fetch.Listing // receives the list's result as soon as it arrives
	begun    time.Time          // when listing began
	done     chan struct{}      // closed when artifact and err are set
	artifact resolve.Artifact
	err      error

	choose     func()        // closes chosen
	chosen     chan struct{} // closed when GitLab has found the archive by ref
	identify   func()        // finds out once what the job's own address serves
	identified chan struct{} // closed when identity and identityErr are set

	identity    fetch.Identity
	identityErr error

	working sync.WaitGroup
}

// lookUpJob starts listing, which ends with ctx. Its requests for bytes count as part of cost.
func (o *Opener) lookUpJob(ctx context.Context, q resolve.Query, cost *Cost, list func(context.Context, resolve.Query) (resolve.Artifact, error)) *jobLookup {
	l := &jobLookup{
		opener: o, query: q, soon: make(chan fetch.Listing, 1), begun: time.Now(),
		done: make(chan struct{}), chosen: make(chan struct{}), identified: make(chan struct{}),
	}
	l.choose = sync.OnceFunc(func() { close(l.chosen) })
	l.identify = sync.OnceFunc(func() {
		defer close(l.identified)
		how := o.transfer("")
		how.Meter = &cost.meter
		l.identity, l.identityErr = fetch.Identify(ctx, l.artifact.URL, how)
	})
	l.working.Go(func() {
		l.list(ctx, list)
		if l.err == nil && l.artifact.JobID != 0 && !settled(l.artifact) {
			l.identifyChosen(ctx)
		}
	})
	return l
}

// identifyChosen identifies what the job's own address serves, unless GitLab refuses the
// archive by ref. agree needs the answer, and has it sooner this way.
func (l *jobLookup) identifyChosen(ctx context.Context) {
	select {
	case <-l.chosen:
		l.identify()
	case <-ctx.Done():
	}
}

func (l *jobLookup) list(ctx context.Context, list func(context.Context, resolve.Query) (resolve.Artifact, error)) {
	defer close(l.done)
	l.artifact, l.err = list(ctx, l.query)
	if l.artifact.Size > 0 {
		listed := fetch.Listing{Size: l.artifact.Size}
		if settled(l.artifact) {
			listed.URL = l.artifact.URL
		}
		l.soon <- listed
	}
}

// ByRef returns the archive that GitLab chooses for a query, if it can be loaded before its
// job is known: not with a cache, which is searched by job.
func (l *Loader) ByRef(q resolve.Query) (resolve.Artifact, bool) {
	if l.Mode != Auto || l.Cache.Dir != "" {
		return resolve.Artifact{}, false
	}
	return l.Resolver.ByRef(q)
}

// LoadByRef is Load for an archive that ByRef has returned, for a query that isn't Recent. It
// makes no more requests than if the job were found first. It finds the job while the bytes
// arrive, and gives them up if it can't: with the error of the lists, or an
// [*UnknownIDError] if the token can't list jobs. If the lists name a job with another
// archive, the error is an [*AnotherJobError].
func (l *Loader) LoadByRef(ctx context.Context, stage *extract.Stage, t Task) (Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	if t.Cost == nil {
		t.Cost = NewCost()
	}
	t.lookup = l.lookUpJob(ctx, t.Query, t.Cost, l.Resolver.OnRefByPipeline)
	watch := &t.lookup.working
	watch.Go(func() {
		a, err := t.lookup.found()
		if err == nil && a.JobID == 0 {
			err = &UnknownIDError{t.Artifact}
		}
		if err != nil {
			cancel(err)
		}
	})
	defer watch.Wait()
	defer cancel(nil)
	r, err := l.Load(ctx, stage, t)
	switch {
	case ctx.Err() != nil:
		return Result{}, context.Cause(ctx)
	case err == nil && r.Artifact.JobID == 0: // watch hasn't noticed yet
		return Result{}, &UnknownIDError{t.Artifact}
	}
	return r, err
}

// found waits for the job.
func (l *jobLookup) found() (resolve.Artifact, error) {
	<-l.done
	return l.artifact, l.err
}

// open opens the archive that GitLab selects. If GitLab refuses, lists show what is
// missing; the job that they name may be available in another way.
func (l *jobLookup) open(ctx context.Context, q resolve.Query, a resolve.Artifact, how fetch.Options) (*fetch.File, resolve.Artifact, error) {
	byRef := how
	byRef.Soon, byRef.OnFound = l.soon, l.choose
	file, err := l.opener.chosen(ctx, a, byRef)
	if !refused(err) && !l.opener.mayProxy(err) {
		return file, a, err
	}
	listed, listErr := l.found()
	if listErr != nil {
		return nil, a, listErr
	}
	switch {
	case listed.JobID == 0 && !refused(err):
		listed = a
	case listed.JobID == 0, resolve.Refused(err):
		// By ID, the job would be refused for the same reason.
		if listed, err = l.opener.Resolver.Fallback(ctx, q, listed, err); err != nil {
			return nil, a, err
		}
		tell(l.opener.Events.FallingBack, listed)
	}
	return l.opener.Open(ctx, q, listed, how)
}

// refused reports whether GitLab says that the archive doesn't exist, or isn't available
// with this token.
func refused(err error) bool {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	return ok && !refusal.FromStorage && (resolve.Refused(err) || refusal.StatusCode == http.StatusNotFound)
}
