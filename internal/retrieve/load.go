package retrieve

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/internal/openfiles"
	"gitlab.com/artifetch/artifetch/resolve"
)

// maxConnections is the default limit of a run's connections, which it only uses if that
// is faster.
const maxConnections = 16

// connectionShare: connections take at most a quarter of the allowed open files, because
// each of them also needs an output file and its directories.
const connectionShare = 4

// Connections returns how many connections a run may use: most, or 16 if most isn't
// positive, and fewer if few open files are allowed.
func Connections(most int) int {
	if most <= 0 {
		most = maxConnections
	}
	return openfiles.Share(openfiles.Limit(), connectionShare, 1, most)
}

// From farAway on, a new connection spends most of its time waiting, so it pays to start
// with more of them.
const (
	farAway        = 5 * time.Millisecond
	farConnections = 8
)

// Loader loads archives into stages. It is safe for concurrent use, and must not be
// copied.
type Loader struct {
	*Opener
	Cache Cache
	// Refusals returns how often servers have refused or broken off requests so far: see
	// [extract.Options]. Nil means never.
	Refusals func() int64

	noETag sync.Once
}

// Cache keeps whole archives between runs: see [fetch.Options].
type Cache struct {
	Dir string // empty means no cache
	Max int64  // bytes; zero means 10 GiB
}

// Checks are requirements for an archive.
type Checks struct {
	SHA256     string // in lower-case hexadecimal; empty means any
	Digest     bool   // the archive's SHA-256 must be known at the end
	Provenance bool   // its files must match the runner's provenance statement about this job
}

// Task says what to load from one archive.
type Task struct {
	Query    resolve.Query
	Artifact resolve.Artifact // the one that Query found
	Extract  extract.Options
	Checks   Checks
	Name     string // for progress; "" means the job's
	Archive  string // where to put the archive itself, below the output directory; "" means to extract it
	List     bool   // collect the files for [Result.Files]
	Cost     *Cost  // of earlier attempts; nil starts counting

	lookup *jobLookup // finds the job of Artifact in the meantime; nil if it is known or can't be
}

// Load extracts one archive into a stage. If the server doesn't support ranges and only a
// few files are wanted, GitLab unpacks them one by one.
func (l *Loader) Load(ctx context.Context, stage *extract.Stage, t Task) (_ Result, err error) {
	if t.Cost == nil {
		t.Cost = NewCost()
	}
	r := Result{Artifact: t.Artifact}
	if t.List {
		r.contents = &contents{files: map[string]File{}}
		t.Extract.OnFile, t.Extract.OnLink = r.contents.file, r.contents.link
	}
	progress := l.Events.progress(cmp.Or(t.Name, t.Artifact.JobName, "archive"))
	t.Extract.OnPlan, t.Extract.OnRead = progress.Plan, progress.Read
	how := l.how(stage, t)
	how.OnSpool = progress.Spool
	if how.Into, err = t.file(stage); err != nil {
		return Result{}, err
	}
	defer func() {
		_ = how.Into.Close() // already closed if its error matters
		err = inOutput(stage, t.namely(stage, how.Into, err))
	}()
	file, err := l.open(ctx, stage, &t, &r, how)
	if err != nil {
		return Result{}, err
	}
	if file == nil { // the files were loaded one by one
		r.Artifact, r.Transfer, r.Took = t.Artifact, t.Cost.meter.Stats(), time.Since(t.Cost.since)
		return r, nil
	}
	defer func() { _ = file.Close() }() // what was read has been checked
	if err = l.extractAndIdentify(ctx, stage, &t, &r, file); err == nil {
		err = t.keep(ctx, stage, how.Into, &r)
	}
	if err != nil {
		return Result{}, err
	}
	r.Artifact = t.Artifact
	r.Artifact.Size, r.Artifact.SHA256 = file.Size(), file.SHA256()
	r.Transfer, r.Took = file.Stats(), time.Since(t.Cost.since)
	return r, nil
}

// extractAndIdentify extracts an open archive, and identifies its job in the meantime if it
// isn't known.
func (l *Loader) extractAndIdentify(ctx context.Context, stage *extract.Stage, t *Task, r *Result, file *fetch.File) error {
	group, ctx := errgroup.WithContext(ctx)
	a := t.Artifact
	if t.lookup != nil {
		group.Go(func() (err error) {
			if a, err = t.lookup.agree(ctx, file, t.Artifact); err == nil {
				l.opened(a, file)
			}
			return err
		})
	}
	group.Go(func() (err error) {
		if r.Stats, err = l.extract(ctx, stage, *t, file); err != nil {
			return in(t.Artifact, err)
		}
		return nil
	})
	err := group.Wait()
	t.Artifact = a
	return err
}

// extract extracts an open archive, at a pace that suits the connection.
func (l *Loader) extract(ctx context.Context, stage *extract.Stage, t Task, file *fetch.File) (extract.Stats, error) {
	o := t.Extract
	if t.Checks.Provenance {
		var err error
		if o.Digests, err = l.statedDigests(ctx, file, t.Artifact); err != nil {
			return extract.Stats{}, err
		}
	}
	if t.lookup == nil {
		l.opened(t.Artifact, file)
	}
	if t.Archive != "" { // the whole archive has arrived, and is put into place at the end
		return extract.Stats{}, checkWhole(ctx, t.Artifact, file)
	}
	if file.Latency() > farAway {
		o.Workers = farConnections
	}
	o.RoundTrip = file.RoundTrip()
	o.Costly = !file.Redirected()
	o.Refusals = func() int64 {
		refusals := file.Stats().Resumes
		if l.Refusals != nil {
			refusals += l.Refusals()
		}
		return refusals
	}
	return add(ctx, stage, t.Artifact, file, o)
}

// statedDigests returns the digests in the runner's statement, if it is about this job.
func (l *Loader) statedDigests(ctx context.Context, file *fetch.File, a resolve.Artifact) (map[string]string, error) {
	stated, err := extract.ReadStatement(ctx, file)
	if err != nil {
		return nil, err
	}
	id := ""
	if a.JobID != 0 {
		id = strconv.FormatInt(a.JobID, 10)
	}
	return stated.Digests, stated.Expect(a.SHA, id, a.JobName, l.Own.PathOf(a.Project))
}

// notCached reports why an archive isn't in the cache.
func (l *Loader) notCached(err error) {
	if errors.Is(err, fetch.ErrNoETag) {
		l.noETag.Do(func() { tell(l.Events.NotCached, err) })
		return
	}
	tell(l.Events.NotCached, err)
}
