package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/openfiles"
	"gitlab.com/artifetch/artifetch/resolve"
)

func fetchCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "fetch",
		Aliases:   []string{"get"},
		Usage:     "download a job's artifacts and extract them",
		UsageText: "artifetch fetch [flags] [PATH…]",
		Description: `PATH selects files: a name, a directory (all below it) or a glob (**, *, ?, [a-z],
{a,b}). Without any, all files are taken. All files arrive, or none.

  artifetch fetch --ref main --job build
  artifetch fetch -R group/sub/lib -r v2.x -j package dist/ 'lib/**/*.so' -x '**/*.map' -o lib
  artifetch fetch --job-id 1002 --strip-components 1 report.xml`,
		Flags:  slices.Concat(queryFlags(), extractionFlags(), transferFlags(), []cli.Flag{formatFlag()}, dotenvFlags(), logFlags()),
		Action: func(c *cli.Context) error { return runFetch(c, con) },
	}
}

func runFetch(c *cli.Context, con *console.Console) error {
	return withQuery(c, con, func(ctx context.Context, s *session, q resolve.Query) error {
		f, err := newFetcher(c, s, q)
		if err != nil {
			return err
		}
		missing, err := ifMissing(c, "nothing fetched")
		if err != nil {
			return err
		}
		end := s.section(readLog(c), "fetch", "artifetch fetch: "+q.String())
		err = f.waiting(ctx, f.wait, f.run)
		f.progress.End()
		end()
		if err = missing(s, err); err != nil {
			return err
		}
		return f.handOver()
	})
}

func newFetcher(c *cli.Context, s *session, q resolve.Query) (*fetcher, error) {
	f := &fetcher{
		session: s, query: q, cacheDir: c.String("cache-dir"), cacheSize: c.Int64("cache-max-size"), wait: c.Duration("wait"),
		progress: s.newProgress(readLog(c)), leftOut: map[string]bool{},
	}
	var err error
	if f.asJSON, err = wantsJSON(c); err != nil {
		return nil, err
	}
	if f.dotenv, err = newDotenv(c); err != nil {
		return nil, err
	}
	if f.place, err = newPlace(workDir(c, s.cfg)); err != nil {
		return nil, err
	}
	if f.extraction, err = newExtraction(c, s, c.Args().Slice()); err != nil {
		return nil, err
	}
	f.extract.Connections = connections(c)
	say, mu := f.stage.OnSkip, new(sync.Mutex)
	f.stage.OnSkip = func(path, reason string) {
		say(path, reason)
		mu.Lock()
		defer mu.Unlock()
		f.leftOut[path] = true
	}
	return f, nil
}

// handOver says what has arrived: to people, to later jobs, to programs.
func (f *fetcher) handOver() error {
	for _, r := range f.done {
		f.report(f.log.Info(), r, f.place.of(r.artifact))
	}
	if err := f.dotenv.write(f.log, f.variables(), f.found()); err != nil {
		return err
	}
	if f.asJSON {
		return f.printJSON()
	}
	return nil
}

// maxConnections is the default of --concurrency.
const maxConnections = 16

// From farAway on, a new connection spends most of its time waiting, so that it
// pays to begin with more of them.
const (
	farAway        = 5 * time.Millisecond
	farConnections = 8
)

// connectionShare: connections take at most a quarter of the files that may be open,
// because each of them comes with a file that is written, and its directories.
const connectionShare = 4

func connections(c *cli.Context) int {
	most := maxConnections
	if n := c.Int("concurrency"); n > 0 {
		most = n
	}
	return openfiles.Share(openfiles.Limit(), connectionShare, 1, most)
}

// fetcher is one run of the command.
type fetcher struct {
	*session
	query resolve.Query
	extraction
	place     place
	cacheDir  string
	cacheSize int64
	wait      time.Duration
	dotenv    dotenv // for later jobs
	asJSON    bool
	progress  *console.Progress
	done      []result
	costs     []*cost         // of each archive, over all attempts
	leftOut   map[string]bool // paths that were not put into place after all
}

// cost is what an archive cost so far.
type cost struct {
	since time.Time
	meter fetch.Meter
}

func newCost() *cost { return &cost{since: time.Now()} }

// maxChanges is how often a transfer starts again because the archive changed
// under it, as it does when a job is retried.
const maxChanges = 2

// run finds the archives, extracts them into a staging directory and commits
// that.
func (f *fetcher) run(ctx context.Context) error {
	for changes := 0; ; changes++ {
		err := f.once(ctx)
		if changes == maxChanges || !errors.Is(err, fetch.ErrChanged) {
			return err
		}
		f.log.Warn().Err(err).Msg("starting again")
		f.progress.Restart()
	}
}

func (f *fetcher) once(ctx context.Context) error {
	clear(f.leftOut)
	artifacts, err := f.artifacts(ctx)
	if err != nil {
		return err
	}
	if len(artifacts) > 1 && f.sha256 != "" {
		return &usageError{fmt.Sprintf("--sha256 is that of one archive, and %d jobs are meant", len(artifacts)), "name one job"}
	}
	prefixes, err := f.place.prefixes(artifacts)
	if err != nil {
		return err
	}
	stage, err := extract.NewStage(f.place.dir, f.stage)
	if err != nil {
		return err
	}
	defer func() { _ = stage.Discard() }() // after Commit there is nothing to discard
	done, err := f.addAll(ctx, stage, artifacts, prefixes)
	if err != nil {
		return err
	}
	f.done = done
	if f.dotenv.file != "" {
		// What cannot be handed over is better known before the files are in place.
		if _, err := f.dotenv.text(f.variables()); err != nil {
			return err
		}
	}
	if err := stage.Commit(ctx); err != nil {
		return err
	}
	for i := range done {
		if done[i].listed != nil {
			done[i].count(f.leftOut)
		}
	}
	return nil
}

// artifacts finds what is to be fetched. Of a job that was named by its ID, --wait
// needs the status, and --dotenv the pipeline.
func (f *fetcher) artifacts(ctx context.Context) ([]resolve.Artifact, error) {
	found, err := f.resolver.Artifacts(ctx, f.query)
	if err == nil && f.query.JobID != 0 && (f.wait > 0 || f.dotenv.file != "") {
		found[0], err = f.resolver.Describe(ctx, found[0])
	}
	return found, err
}

// sideBySide is how many archives are fetched at the same time: they share the
// connections and the memory of one.
const sideBySide = 3

// lists reports whether each file is noted: it takes memory, and mostly what the archive
// has is what arrives.
func (f *fetcher) lists() bool {
	return f.asJSON || f.extract.Unpack > 0 || f.stage.OnConflict == extract.SkipExisting
}

// addAll adds all archives to the stage.
func (f *fetcher) addAll(ctx context.Context, stage *extract.Stage, artifacts []resolve.Artifact, prefixes []string) ([]result, error) {
	for len(f.costs) < len(artifacts) {
		f.costs = append(f.costs, newCost())
	}
	share := min(sideBySide, len(artifacts))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(share)
	done := make([]result, len(artifacts))
	for i, a := range artifacts {
		o := f.extract
		o.Prefix, o.Label, o.Share = prefixes[i], a.Label(), share
		o.Connections = max(o.Connections/share, 1)
		group.Go(func() error {
			r, err := f.add(ctx, stage, a, o, f.costs[i])
			done[i] = r
			return err
		})
	}
	return done, group.Wait()
}

// add opens one archive and extracts it into the stage.
func (f *fetcher) add(ctx context.Context, stage *extract.Stage, a resolve.Artifact, o extract.Options, c *cost) (result, error) {
	part := f.progress.Part()
	how := f.transfer(stage.Path())
	how.Meter, how.OnSpool, o.OnPlan, o.OnRead = &c.meter, part.Spool, part.Plan, part.Read
	r := result{}
	if f.lists() {
		r.listed = &arrivals{files: map[string]fetchedFile{}}
		o.OnFile, o.OnLink = r.listed.file, r.listed.link
	}
	how.Partial, how.RangesOnly = len(o.Include) > 0, f.wantsFew(a)
	file, a, err := f.open(ctx, a, how)
	if errors.Is(err, fetch.ErrNoRanges) {
		var done bool
		if done, r.files, err = f.addFiles(ctx, stage, a, o, &c.meter); done || err != nil {
			r.artifact, r.transfer, r.took = a, c.meter.Stats(), time.Since(c.since)
			return r, err
		}
		how.Partial, how.RangesOnly = false, false
		file, a, err = f.open(ctx, a, how)
	}
	if err != nil {
		return result{}, err
	}
	defer func() { _ = file.Close() }() // what was read has been checked
	if f.provenance {
		if o.Digests, err = f.statedDigests(ctx, file, a); err != nil {
			return result{}, fmt.Errorf("archive of %s: %w", a.Label(), err)
		}
	}
	of(f.detail(), a).Str("found", string(a.Found)).Str("size", console.Size(file.Size())).Bool("ranges", !file.Stats().Spooled).Msg("archive")
	if r.files, err = stage.Add(ctx, file, f.options(o, file)); err != nil {
		return result{}, fmt.Errorf("archive of %s: %w", a.Label(), err)
	}
	a.Size, a.SHA256 = file.Size(), file.SHA256()
	r.artifact, r.transfer, r.took = a, file.Stats(), time.Since(c.since)
	return r, nil
}

// statedDigests are what the runner says of the files, if that is about this job.
func (f *fetcher) statedDigests(ctx context.Context, file *fetch.File, a resolve.Artifact) (map[string]string, error) {
	stated, err := extract.ReadStatement(ctx, file)
	if err != nil {
		return nil, err
	}
	project := a.Project
	if project == f.cfg.Project {
		project = f.cfg.ProjectPath
	}
	if !strings.Contains(project, "/") {
		project = "" // an id, which no statement has
	}
	id := ""
	if a.JobID != 0 {
		id = strconv.FormatInt(a.JobID, 10)
	}
	return stated.Digests, stated.Expect(a.SHA, id, a.JobName, project)
}

// options are those of the command, as the way to the archive suggests.
func (f *fetcher) options(o extract.Options, file *fetch.File) extract.Options {
	if file.Latency() > farAway {
		o.Workers = farConnections
	}
	o.Costly = !file.Redirected()
	o.Strain = func() int64 { return f.strain.Load() + file.Stats().Resumes }
	return o
}

// transfer is how everything is fetched. What has to be spooled is in the stage,
// which is on a file system with room for it.
func (f *fetcher) transfer(spoolDir string) fetch.Options {
	return fetch.Options{
		Client:   f.http,
		Check:    gitlab.CheckResponse,
		Backoff:  func() fetch.Backoff { return f.policy.Backoff() },
		SpoolDir: spoolDir,
		CacheDir: f.cacheDir, CacheSize: f.cacheSize,
		SHA256: f.sha256, Digest: f.digest,
		Servers:      &f.servers,
		OnCacheError: f.notKept,
	}
}

// notKept says why an archive isn't in the cache now; once in a run where that is a
// matter of the server.
func (s *session) notKept(err error) {
	say := func() { s.log.Warn().Err(err).Msg("the archive is not kept in the cache") }
	if errors.Is(err, fetch.ErrNoETag) {
		s.noETag.Do(say)
		return
	}
	say()
}

// open opens the archive at the first place that serves it.
func (f *fetcher) open(ctx context.Context, a resolve.Artifact, o fetch.Options) (*fetch.File, resolve.Artifact, error) {
	for {
		o.Size = a.Size
		file, err := fetch.Open(ctx, a.URL, o)
		if err == nil || errors.Is(err, fetch.ErrNoRanges) {
			return file, a, err
		}
		if a, err = f.resolver.Fallback(ctx, f.query, a, err); err != nil {
			return nil, a, err
		}
		f.log.Debug().Int64("job_id", a.JobID).Str("found", string(a.Found)).Msg("falling back to the runner's route")
	}
}
