package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/messages"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

// newLogger makes the logger of a run. Messages are constant; names, refs and
// the server's words go into fields, which are quoted when they are printed.
func newLogger(o globalOptions, con *console.Console, cfg env.Config) (zerolog.Logger, error) {
	switch o.logFormat {
	case "", "auto", "console", "json":
	default:
		return zerolog.Nop(), usage("--log-format must be auto, console or json", "leave it out for readable messages")
	}
	how := messages.Options{Level: zerolog.InfoLevel}
	switch {
	case o.verbose || cfg.Debug:
		how = messages.Options{Level: zerolog.DebugLevel, Records: true}
	case o.quiet:
		how.Level = zerolog.ErrorLevel
	}
	return messages.New(con, how), nil
}

// section puts messages into a section of the job log until end is called. Print the
// result after it: a closed section hides its content. Outside of job logs it does
// nothing.
func (s *session) section(o logOptions, command, heading string) (end func()) {
	if !s.cfg.InCI || s.con.JSON() || o.noSections || s.quiet {
		return func() {}
	}
	closeSection := s.con.Section("artifetch_"+command, heading, s.log.GetLevel() == zerolog.DebugLevel)
	s.sectioned = true
	return func() {
		s.sectioned = false
		closeSection()
	}
}

// detail returns a message that is only shown inside a collapsed section, or with -v.
func (s *session) detail() *zerolog.Event {
	if s.sectioned {
		return s.log.Info()
	}
	return s.log.Debug()
}

// newProgress returns nil if --no-progress or --quiet is given.
func (s *session) newProgress(o logOptions) *console.Progress {
	if o.noProgress || s.quiet {
		return nil
	}
	return s.con.Progress(s.cfg.InCI || s.cfg.Dumb, func(p console.Pace) {
		s.log.Info().Int64("percent", p.Percent).Int64("bytes", p.Total).Int64("bytes_per_second", p.PerSecond).
			Float64("seconds_left", p.Left.Seconds()).Msg("under way")
	})
}

// spin shows at a terminal what the run is waiting for, until end is called, which must be
// before anything is printed or asked.
func (s *session) spin(doing string) (end func()) {
	p := s.newProgress(logOptions{})
	p.Doing(doing)
	return p.End
}

// events logs events while archives are retrieved.
func (s *session) events() retrieve.Events {
	return retrieve.Events{
		FallingBack: func(a resolve.Artifact) {
			s.log.Debug().Int64("job_id", a.JobID).Str("found", string(a.Found)).Msg("falling back to the runner's route")
		},
		Unreachable: func(away *fetch.StorageError) {
			s.log.Warn().Err(away.Err).Str("storage", away.Host).Msg("GitLab's storage cannot be reached: GitLab is asked to send the archive itself")
		},
		Costly: func(a resolve.Artifact) {
			of(s.log.Debug(), a).Msg("GitLab's own server sends the archive, not object storage: few connections, and few requests")
		},
		Opened: func(a resolve.Artifact, size int64, ranges bool) {
			event := of(s.detail(), a).Str("found", string(a.Found)).Int64("bytes", size).Bool("ranges", ranges)
			if a.Report.Type != "" {
				event.Msg("report")
				return
			}
			event.Msg("archive")
		},
		Listed: func(cost fetch.Stats) {
			s.log.Debug().Int64("bytes", cost.Bytes).Int64("requests", cost.Requests).Msg("listed")
		},
		StartingOver: func(err error) { s.log.Warn().Err(err).Msg("starting again") },
		Waiting: func(pause time.Duration, because error) {
			s.log.Info().Float64("wait_seconds", seconds(pause)).AnErr("because", because).Msg("waiting")
		},
		Sharing: func(a resolve.Artifact) {
			of(s.log.Info(), a).Str("archive", a.Label()).Msg("waiting for the archive, which is already being downloaded into the cache")
		},
		NotCached: func(err error) { s.log.Warn().Err(err).Msg("the archive is not kept in the cache") },
	}
}

// show reports progress by bars or messages.
func (s *session) show(p *console.Progress) {
	e := &s.opener.Events
	startingOver, opened, waiting, sharing := e.StartingOver, e.Opened, e.Waiting, e.Sharing
	e.Sharing = func(a resolve.Artifact) {
		sharing(a)
		p.Doing("waiting for the archive, which is already being downloaded into the cache")
	}
	e.StartingOver = func(err error) { startingOver(err); p.Restart() }
	e.Opened = func(a resolve.Artifact, size int64, ranges bool) {
		opened(a, size, ranges)
		p.Doing("reading what is in the archive")
	}
	e.Waiting = func(pause time.Duration, because error) {
		waiting(pause, because)
		p.Doing("waiting")
	}
	p.Doing("looking for the job")
	e.Progress = func(name string) retrieve.Progress {
		a := p.Part(name)
		return retrieve.Progress{Spool: a.Spool, Plan: a.Plan, Read: a.Read}
	}
}

// loader returns a loader of archives, with a cache if wanted.
func (s *session) loader(cache retrieve.Cache) *retrieve.Loader {
	return &retrieve.Loader{Opener: s.opener, Cache: cache, Refusals: s.refusals.Load}
}

func (s *session) inspector() retrieve.Inspector { return retrieve.Inspector{Opener: s.opener} }

// polls returns the pauses of --wait.
func (s *session) polls(limit time.Duration) fetch.Backoff { return s.policy.Polls(limit) }

func (s *session) waiter(limit time.Duration) retrieve.Waiter {
	return retrieve.Waiter{Limit: limit, Pauses: s.polls, Waiting: s.opener.Events.Waiting}
}

// stageEvents adds functions that log events of a stage.
func (s *session) stageEvents(o extract.StageOptions) extract.StageOptions {
	o.OnSkip = func(path, reason string) {
		s.log.Warn().Str("path", path).Str("because", reason).Msg("left out")
	}
	o.OnRescue = func(r extract.Rescued) {
		if r.At == r.Path {
			s.log.Warn().Str("path", r.Path).Msg("restored a file that a killed run had moved away")
			return
		}
		s.log.Warn().Str("path", r.Path).Str("now", r.At).Msg("cannot restore a file that a killed run had moved away; move it back by hand")
	}
	o.OnLeftover = func(dir string, err error) {
		s.log.Warn().Str("path", dir).Err(err).Msg("cannot remove the staging directory; the next run tries again")
	}
	return o
}

// of adds the known fields of a job.
func of(event *zerolog.Event, a resolve.Artifact) *zerolog.Event {
	if a.JobName != "" {
		event = event.Str("job", a.JobName)
	}
	if a.JobID != 0 {
		event = event.Int64("job_id", a.JobID)
	}
	if a.Report.Type != "" {
		event = event.Str("report", a.Report.Type)
	}
	if a.PipelineID != 0 {
		event = event.Int64("pipeline", a.PipelineID)
	}
	if a.Ref != "" {
		event = event.Str("ref", a.Ref)
	}
	if a.Back > 0 {
		event = event.Int("pipelines_back", a.Back)
	}
	if a.Failed() {
		event = event.Str("status", a.Status)
	}
	return event
}

// arrived is one retrieved archive.
type arrived struct {
	retrieve.Result
	source    string // of a manifest
	into      string
	whole     bool   // the archive itself was kept
	anyStatus bool   // its job needn't have succeeded
	change    string // how it differs from what was there; empty if that was printed
}

// report says what arrived, where it is from and where it is: in a line for each archive,
// and in records for programs and for -v. total is the noun for them, such as "job".
func (s *session) report(list []arrived, total string) {
	lines := make([]messages.Outcome, len(list))
	for i, r := range list {
		page := s.page(r.Artifact)
		s.record(r, page)
		lines[i] = messages.Outcome{
			Source: r.source, Artifact: r.Artifact, Warn: r.unexpected(), Page: page, Files: r.Stats.Files, Links: r.Stats.Links, Bytes: r.Stats.Bytes, Again: r.Stats.Again, AgainBytes: r.Stats.AgainBytes, Whole: r.whole, Into: r.into,
			Took: r.Took, Transfer: true, Fetched: r.Transfer.Bytes, Change: r.change,
		}
	}
	s.outcome(lines, total)
}

// outcome prints lines about the result, unless programs read the messages or --quiet is
// given.
func (s *session) outcome(lines []messages.Outcome, total string) {
	if s.concludes() {
		messages.Print(s.con, lines, total)
	}
}

// concludes reports whether lines about the result are printed.
func (s *session) concludes() bool { return s.log.Info().Enabled() && !s.con.JSON() }

// unexpected reports whether the job hasn't succeeded, without --any-status.
func (r arrived) unexpected() bool { return r.Artifact.Failed() && !r.anyStatus }

// result starts the record of a result. Only programs need one without -v.
func (s *session) result() *zerolog.Event {
	if s.con.JSON() {
		return s.log.Info()
	}
	return s.log.Debug()
}

// record logs with fields what arrived.
func (s *session) record(r arrived, page string) {
	a, event := r.Artifact, s.result()
	if r.unexpected() && s.con.JSON() {
		event = s.log.Warn()
	}
	if r.unexpected() {
		event = event.Str("because", "GitLab hands out the artifacts of a job that was allowed to fail")
	}
	if r.source != "" {
		event = event.Str("source", r.source)
	}
	event = of(event, a).Int("files", r.Stats.Files).Int("links", r.Stats.Links).Int64("bytes", r.Stats.Bytes).Int64("transferred", r.Transfer.Bytes)
	if a.Size > 0 {
		event = event.Int64("archive_bytes", a.Size)
	}
	event = event.Int64("requests", r.Transfer.Requests).Float64("seconds", seconds(r.Took)).Str("into", r.into)
	if page != "" {
		event = event.Str("url", page)
		if project, _, ok := strings.Cut(page, "/-/jobs/"); ok && a.PipelineID != 0 {
			event = event.Str("pipeline_url", project+"/-/pipelines/"+strconv.FormatInt(a.PipelineID, 10))
		}
	}
	if a.Failed() {
		event.Msg("fetched from a job that has not succeeded")
		return
	}
	event.Msg("fetched")
}

// seconds formats a duration for a record: in seconds, to the millisecond.
func seconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }

// page returns the address of a job, or "" if it isn't known.
func (s *session) page(a resolve.Artifact) string {
	project := s.opener.Own.PathOf(a.Project)
	if a.WebURL != "" || a.JobID == 0 || project == "" {
		return a.WebURL
	}
	return fmt.Sprintf("%s/%s/-/jobs/%d", strings.TrimSuffix(s.cfg.APIURL.String(), "/api/v4"), project, a.JobID)
}
