package cli

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"github.com/sethvargo/go-envconfig"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/checkout"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/jobs"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/internal/transport"
	"gitlab.com/artifetch/artifetch/internal/webaddress"
	"gitlab.com/artifetch/artifetch/resolve"
)

// session is what every command that talks to GitLab needs.
type session struct {
	con      *console.Console
	cfg      env.Config
	log      zerolog.Logger
	http     transport.Clients
	api      *gitlab.Client
	resolver *resolve.Resolver
	policy   transport.Policy

	opener *retrieve.Opener

	quiet     bool // print only errors
	sectioned bool // messages are in a section of the job log

	refusals atomic.Int64 // how often the server was overloaded or unreachable

	elsewhere error // why the checkout's project isn't used; or nil
}

// connected runs a command with a connection to GitLab, within --deadline.
func connected(ctx context.Context, o globalOptions, con *console.Console, do func(ctx context.Context, s *session) error) error {
	ctx, cancel := withDeadline(ctx, o)
	defer cancel()
	s, err := newSession(ctx, o, con)
	if err != nil {
		return err
	}
	return s.lacking(do(ctx, s))
}

// lacking reports a missing token first: without one, most projects can't be used.
func (s *session) lacking(err error) error {
	switch without := s.tokenless(); {
	case !errors.Is(err, failure.ErrNoProject):
		return failure.Anonymous(err, without, s.cfg.Token.Unread)
	case s.elsewhere != nil:
		return s.elsewhere
	case without:
		return failure.NoToken(s.cfg.Token.Unread)
	case s.cfg.Token.Kind == env.JobToken && !s.cfg.InCI:
		return failure.ErrNoProjectInBuild
	}
	return err
}

// tokenless reports whether the token is missing, although the user didn't ask for that.
func (s *session) tokenless() bool {
	return s.cfg.Token.Kind == env.NoToken && s.cfg.Token.Source == ""
}

// lookuper looks up variables in the flags first, then in the environment.
func (o globalOptions) lookuper() envconfig.Lookuper {
	return envconfig.MultiLookuper(envconfig.MapLookuper(o.variables), envconfig.OsLookuper())
}

// localSession is the session of a command that makes no requests. It ignores mistakes in
// the environment, such as an empty token.
func localSession(ctx context.Context, o globalOptions, con *console.Console) (*session, error) {
	cfg, err := failure.LoadEnv(ctx, o.lookuper())
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		cfg = env.Config{}
	}
	s := &session{con: con, cfg: cfg, quiet: o.quiet}
	s.log, err = newLogger(o, con, cfg)
	return s, err
}

func newSession(ctx context.Context, o globalOptions, con *console.Console) (*session, error) {
	mode, known := map[string]retrieve.DownloadMode{"": retrieve.Auto, "auto": retrieve.Auto, "direct": retrieve.Direct, "proxy": retrieve.Proxy}[o.downloadMode]
	if !known {
		return nil, usage("--download-mode must be auto, direct or proxy", "leave it out for auto")
	}
	cfg, err := failure.LoadEnv(ctx, o.lookuper())
	if err != nil {
		return nil, err
	}
	s := &session{con: con, quiet: o.quiet, policy: transport.Policy{Retries: o.retries, MaxTime: o.retryMaxTime}}
	if o.anyProject && (o.person || con.AtTerminal()) {
		cfg, s.elsewhere = checkout.Adopt(ctx, cfg, ".")
	}
	s.cfg = cfg
	con.Hide(cfg.Token.Value.Reveal(), cfg.OtherSecrets()...)
	if s.log, err = newLogger(o, con, cfg); err != nil {
		return nil, err
	}
	if s.http, err = s.newClients(ctx, o.stallTimeout); err != nil {
		return nil, err
	}
	s.api = gitlab.New(cfg.APIURL, s.http.Whole, s.http.Stream)
	s.resolver = s.newResolver()
	s.opener = &retrieve.Opener{
		HTTP: s.http.Stream, Hasty: s.http.Hasty, Mode: mode, API: s.api, Resolver: s.resolver, Backoff: func() fetch.Backoff { return s.policy.Backoff() },
		Own: retrieve.Project{ID: cfg.Project, Path: cfg.ProjectPath}, Version: cfg.ServerVersion, Events: s.events(),
	}
	s.log.Debug().Str("api", cfg.APIURL.String()).Str("token", string(cfg.Token.Kind)).Str("from", cfg.Token.Source).Msg("environment")
	if cfg.Remote != "" {
		s.log.Info().Str("project", cfg.Project).Str("server", cfg.APIURL.Host).Str("remote", cfg.Remote).Msg("project of this checkout")
	}
	return s, nil
}

func (s *session) newResolver() *resolve.Resolver {
	o := resolve.Options{
		API: s.api, JobToken: s.cfg.Token.Kind == env.JobToken,
		OnSkip: func(err error) { s.log.Warn().Err(err).Msg("a downstream pipeline is left out") },
	}
	if s.cfg.Token.Own {
		o.OwnPipeline = s.cfg.PipelineID
	}
	var said sync.Map // refs: --wait retries each of them
	o.OnPass = func(ref string, because error) {
		if _, known := said.LoadOrStore(ref, true); !known {
			s.log.Info().Str("ref", ref).AnErr("because", because).Msg("trying the next ref")
		}
	}
	if s.cfg.Project != "" && s.cfg.DefaultBranch != "" {
		o.Branches = map[string]string{s.cfg.Project: s.cfg.DefaultBranch, s.cfg.ProjectPath: s.cfg.DefaultBranch}
	}
	return resolve.New(o)
}

func (s *session) newClients(ctx context.Context, stallTimeout time.Duration) (transport.Clients, error) {
	o := transport.Options{
		API:          s.cfg.APIURL,
		UserAgent:    "artifetch/" + version(),
		Retry:        s.policy,
		StallTimeout: stallTimeout,
		Observe:      s.observe,
	}
	o.Header, o.Token = credential(s.cfg.Token)
	if len(s.cfg.Headers) > 0 {
		o.Gateway = http.Header{}
		for _, h := range s.cfg.Headers {
			o.Gateway.Set(h.Name, h.Value.Reveal())
		}
	}
	var err error
	if o.Roots, err = transport.LoadRoots(ctx, s.cfg.TLS.CAFile, s.cfg.APIURL.Scheme == "https"); err != nil {
		return transport.Clients{}, usage("--ca-file: "+err.Error(), "in a job it comes from CI_SERVER_TLS_CA_FILE")
	}
	if s.cfg.TLS.CertFile != "" || s.cfg.TLS.KeyFile != "" {
		pair, err := transport.ClientCertificate(ctx, s.cfg.TLS.CertFile, s.cfg.TLS.KeyFile)
		if err != nil {
			return transport.Clients{}, usage("--cert-file: "+err.Error(), "give --cert-file and --key-file together; in a job they come from CI_SERVER_TLS_CERT_FILE and CI_SERVER_TLS_KEY_FILE")
		}
		o.ClientCert = pair
	}
	return transport.New(o), nil
}

// credential returns the header for a token.
// https://docs.gitlab.com/api/rest/authentication/
func credential(t env.Token) (header, value string) {
	switch t.Kind {
	case env.JobToken:
		return "JOB-TOKEN", t.Value.Reveal()
	case env.PrivateToken:
		return "PRIVATE-TOKEN", t.Value.Reveal()
	case env.BearerToken:
		return "Authorization", "Bearer " + t.Value.Reveal()
	}
	return "", ""
}

// observe logs a request or an attempt.
func (s *session) observe(x transport.Exchange) {
	event := s.log.Debug()
	if x.Wait > 0 {
		if x.Err != nil || x.Status == http.StatusTooManyRequests || x.Status == http.StatusServiceUnavailable {
			s.refusals.Add(1)
		}
		event = s.log.Warn().Float64("wait_seconds", seconds(x.Wait)).Int("attempt", x.Attempt)
	}
	if x.Asked > 0 {
		event = s.log.Warn().Float64("asked_seconds", seconds(x.Asked))
	}
	if x.Err != nil {
		event = event.Err(x.Err)
	}
	if x.Range != "" {
		event = event.Str("range", x.Range)
	}
	if x.RequestID != "" {
		event = event.Str("request_id", x.RequestID)
	}
	if x.Status != 0 {
		event = event.Int("status", x.Status)
	}
	event.Str("url", x.URL).Float64("seconds", seconds(x.Duration)).Msg(x.Method)
}

// withDeadline limits a whole run to --deadline.
func withDeadline(ctx context.Context, o globalOptions) (context.Context, context.CancelFunc) {
	if o.deadline > 0 {
		return context.WithTimeoutCause(ctx, o.deadline, failure.ErrDeadline)
	}
	return context.WithCancel(ctx)
}

// jobs returns a client for jobs that logs what it does.
func (s *session) jobs() *jobs.Client {
	return &jobs.Client{
		API: s.api, Resolver: s.resolver, Policy: s.policy, JobToken: s.cfg.Token.Kind == env.JobToken, NoToken: s.tokenless(), OwnJob: s.cfg.JobID,
		Events: jobs.Events{
			SearchEnded: func(searched int) {
				s.log.Warn().Int("searched", searched).Msg("the search ends here; there may be more: --limit 0 searches everything")
			},
			LogRetried: func(err error, pause time.Duration) {
				s.log.Warn().Err(err).Float64("wait_seconds", seconds(pause)).Msg("asking again")
			},
			NoLog: func() { s.log.Info().Msg("the log is empty") },
			Finished: func(job gitlab.Job) {
				s.log.Info().Int64("job_id", job.ID).Str("status", job.Status).Msg("finished")
			},
		},
	}
}

// projectPath returns the project in a page's address, or "".
func (s *session) projectPath(address string) string {
	page, err := webaddress.Parse(address, s.cfg.APIURL)
	if err != nil {
		return ""
	}
	return page.Project
}
