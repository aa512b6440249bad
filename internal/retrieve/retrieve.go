package retrieve

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/internal/atomicfile"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Retriever extracts all archives of a query into a directory.
type Retriever struct {
	Loader *Loader
	// Pauses returns the pauses between attempts while it waits: see [Waiter].
	Pauses func(limit time.Duration) fetch.Backoff
}

// Options say what to retrieve.
type Options struct {
	Query  resolve.Query
	Output Output
	Stage  extract.StageOptions
	// Extract says what to extract from each archive. Connections applies to the whole
	// run, and Prefix, Label and Share are set for each archive.
	Extract extract.Options
	Checks  Checks
	// Wait is how long to wait for jobs that don't exist yet or haven't finished.
	Wait time.Duration
	// Describe requests the pipeline of a job that is selected by ID alone.
	Describe bool
	// Files requests [Result.Files].
	Files bool
	// BeforeCommit is called when everything is staged; its error prevents the commit.
	// Nil means not to call it.
	BeforeCommit func([]Result) error
}

// maxChanges is how often a run starts over because an archive changed during the
// download, for example because a job was retried.
const maxChanges = 2

// Run retrieves the archives and commits their files, or returns an error and leaves the
// directory unchanged.
func (r *Retriever) Run(ctx context.Context, o Options) ([]Result, error) {
	run := &run{loader: r.Loader, o: o, left: leftOut{paths: map[string]bool{}}}
	run.o.Stage.OnSkip = run.left.noting(o.Stage.OnSkip)
	wait := Waiter{Limit: o.Wait, Pauses: r.Pauses, Waiting: r.Loader.Events.Waiting}
	err := wait.Do(ctx, run.untilUnchanged)
	return run.done, err
}

// run is one call of Run. The cost of an archive counts over all attempts.
type run struct {
	loader *Loader
	o      Options
	done   []Result
	costs  []*Cost

	lookup *jobLookup // of the only archive by ref; or nil
	listed bool       // the archive by ref isn't the listed one: list first

	left leftOut
}

// untilUnchanged starts over if an archive changed.
func (r *run) untilUnchanged(ctx context.Context) error {
	for changes := 0; ; changes++ {
		err := r.once(ctx)
		r.listed = r.listed || is[*AnotherJobError](err)
		if changes == maxChanges || !errors.Is(err, fetch.ErrChanged) {
			return err
		}
		tell(r.loader.Events.StartingOver, err)
	}
}

// once finds the archives, extracts them into a stage and commits it.
func (r *run) once(ctx context.Context) error {
	clear(r.left.paths)
	ctx, cancel := context.WithCancel(ctx)
	defer r.awaitLookup()
	defer cancel()
	artifacts, err := r.artifacts(ctx)
	if err != nil {
		return err
	}
	if len(artifacts) > 1 && r.o.Checks.SHA256 != "" {
		return &SeveralJobsError{Jobs: len(artifacts), Reports: ofOneJob(artifacts), Digest: true}
	}
	prefixes, err := r.o.Output.prefixes(artifacts)
	if err != nil {
		return err
	}
	atomicfile.Sweep(r.o.Output.Dir)
	stage, err := extract.NewStage(r.o.Output.Dir, r.o.Stage)
	if err != nil {
		return err
	}
	defer func() { _ = stage.Discard() }() // does nothing after Commit
	done, err := r.load(ctx, stage, artifacts, prefixes)
	if err == nil && r.o.BeforeCommit != nil {
		err = r.o.BeforeCommit(done)
	}
	if err == nil {
		err = stage.Commit(ctx)
	}
	if err != nil {
		return r.collided(ctx, err, artifacts)
	}
	seen := map[string]bool{}
	for i := range done {
		done[i].finish(r.left.paths, seen)
	}
	r.done = done
	return nil
}

// awaitLookup waits until the listing has ended.
func (r *run) awaitLookup() {
	if r.lookup != nil {
		r.lookup.working.Wait()
		r.lookup = nil
	}
}

// byRef returns the archive that GitLab selects by ref, if it can be requested before its
// job is known, and starts looking for the job.
func (r *run) byRef(ctx context.Context) []resolve.Artifact {
	a, one := r.loader.ByRef(r.o.Query)
	if !one || r.listed || r.o.Wait > 0 || r.o.Checks.Provenance || r.o.Output.varies() || r.o.Output.file && r.o.Stage.OnConflict == extract.SkipExisting {
		return nil
	}
	r.lookup = r.loader.lookUpJob(ctx, r.o.Query, r.cost(0), r.loader.Resolver.OnRef)
	return []resolve.Artifact{a}
}

// artifacts resolves the query. For a job that is selected by ID, its status shows
// whether waiting makes sense.
func (r *run) artifacts(ctx context.Context) ([]resolve.Artifact, error) {
	if found := r.byRef(ctx); found != nil {
		return found, nil
	}
	found, err := r.loader.Resolver.Artifacts(ctx, r.o.Query)
	if err == nil && r.o.Query.JobID != 0 && (r.o.Wait > 0 || r.o.Describe || r.o.Output.asksJob()) {
		found[0], err = r.loader.Resolver.Describe(ctx, found[0])
	}
	return found, err
}

// load loads all archives into the stage.
func (r *run) load(ctx context.Context, stage *extract.Stage, artifacts []resolve.Artifact, prefixes []string) ([]Result, error) {
	r.cost(len(artifacts) - 1)
	done, missing := make([]Result, len(artifacts)), unmatched{jobs: map[int64][]*extract.NoMatchError{}}
	err := SideBySide(ctx, len(artifacts), func(ctx context.Context, i, share int) (err error) {
		t := Task{Query: r.o.Query, Artifact: artifacts[i], Extract: r.o.Extract, Checks: r.o.Checks, List: r.o.lists(), Cost: r.costs[i], lookup: r.lookup}
		if r.o.Output.file {
			t.Archive, prefixes[i] = prefixes[i], ""
		}
		if r.keepsOld(t.Archive) {
			done[i] = Result{Artifact: t.Artifact, contents: new(contents)}
			return nil
		}
		t.Extract.Prefix, t.Extract.Label, t.Extract.Share = prefixes[i], artifacts[i].Label(), share
		t.Extract.Connections = max(t.Extract.Connections/share, 1)
		if len(r.o.Query.Reports) > 1 {
			t.Extract.OnNoMatch = missing.ofReport(artifacts[i])
		}
		done[i], err = r.loader.Load(ctx, stage, t)
		return err
	})
	if err == nil {
		err = missing.check(artifacts)
	}
	return done, err
}

// cost returns what archive i has cost so far.
func (r *run) cost(i int) *Cost {
	for len(r.costs) <= i {
		r.costs = append(r.costs, NewCost())
	}
	return r.costs[i]
}

// keepsOld reports whether an archive's file exists and is kept, so nothing needs
// downloading.
func (r *run) keepsOld(file string) bool {
	if file == "" || r.o.Stage.OnConflict != extract.SkipExisting {
		return false
	}
	info, err := os.Lstat(filepath.Join(r.o.Output.Dir, filepath.FromSlash(file)))
	if err != nil || !info.Mode().IsRegular() {
		return false // or the conflict is an error later
	}
	r.o.Stage.OnSkip(file, "it already exists")
	return true
}

// lists reports whether to remember the files of each archive, which takes memory: if
// they are wanted, or if the archive alone doesn't show what is written.
func (o Options) lists() bool {
	return o.Files || o.Extract.Unpack > 0 || o.Stage.Symlinks == extract.SkipLinks || o.Stage.OnConflict == extract.SkipExisting
}
