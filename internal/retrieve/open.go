package retrieve

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Opener opens archives, each at the first place that serves it. It is safe for
// concurrent use, and must not be copied.
type Opener struct {
	HTTP *http.Client
	// Hasty is HTTP, except that it gives up immediately if GitLab redirects to an
	// unreachable host. Nil means HTTP.
	Hasty *http.Client
	// Mode says where the bytes come from.
	Mode     DownloadMode
	API      *gitlab.Client
	Resolver *resolve.Resolver
	// Backoff returns the pauses of one transfer: see [fetch.Options].
	Backoff func() fetch.Backoff
	// Own is the project of the running job, if any.
	Own Project
	// Version is the server's, such as "18.5.1-ee", if it is known without a request.
	Version string
	Events  Events

	servers fetch.Servers
	away    sync.Once   // the first unreachable storage
	through atomic.Bool // GitLab sends the bytes itself: try that first
}

// Project is the running job's project, by both of its names. Both are empty outside CI.
type Project struct{ ID, Path string }

// PathOf returns the full path of a project, which may be given as an ID, or "" if it is
// unknown.
func (own Project) PathOf(project string) string {
	if project == own.ID && own.Path != "" {
		project = own.Path
	}
	if !strings.Contains(project, "/") {
		return ""
	}
	return project
}

// Open opens an archive. After a refusal it tries the next place that may serve it, and
// completes a with what that shows. If how says so, it may return [fetch.ErrNoRanges].
func (o *Opener) Open(ctx context.Context, q resolve.Query, a resolve.Artifact, how fetch.Options) (*fetch.File, resolve.Artifact, error) {
	if a.Report.Type != "" {
		return o.openReport(ctx, q, a, how)
	}
	for {
		how.Size = a.Size
		var file *fetch.File
		var err error
		file, a, err = o.reach(ctx, q, a, how)
		switch {
		case err == nil, errors.Is(err, fetch.ErrNoRanges):
			return file, a, err
		case is[*fetch.SizeError](err):
			return nil, a, in(a, err)
		case is[*NotProxiedError](err):
			return nil, a, err
		}
		if a, err = o.Resolver.Fallback(ctx, q, a, err); err != nil {
			return nil, a, err
		}
		tell(o.Events.FallingBack, a)
	}
}

// transfer returns the options that all transfers share. A spooled archive goes to
// spoolDir.
func (o *Opener) transfer(spoolDir string) fetch.Options {
	return fetch.Options{Client: o.HTTP, Check: gitlab.CheckResponse, Backoff: o.Backoff, SpoolDir: spoolDir, Servers: &o.servers}
}
