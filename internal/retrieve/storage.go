package retrieve

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// DownloadMode says where the bytes of archives in object storage come from.
type DownloadMode string

// The modes. Direct and Proxy are those of GitLab's parameter download_mode.
const (
	Auto   DownloadMode = ""       // from where GitLab redirects; if that is unreachable, from GitLab itself
	Direct DownloadMode = "direct" // from the storage
	Proxy  DownloadMode = "proxy"  // from GitLab itself
)

// NotProxiedError reports that GitLab doesn't send an archive's bytes itself.
type NotProxiedError struct {
	Err  error // a [*fetch.StorageError], GitLab's refusal, or nil if the job's ID is unknown
	Auto bool  // the storage was tried first
}

// Error implements error.
func (e *NotProxiedError) Error() string {
	refusal, refused := errors.AsType[*gitlab.Error](e.Err)
	away, redirected := errors.AsType[*fetch.StorageError](e.Err)
	switch {
	case refused:
		return "GitLab doesn't send the archive itself: " + refusal.Error()
	case redirected && e.Auto:
		return "GitLab's storage " + away.Host + " can't be reached, and GitLab doesn't send the archive itself: " + away.Error()
	case redirected:
		return "GitLab redirects to its storage " + away.Host + ", and doesn't send the archive itself"
	}
	return "GitLab only sends an archive itself by the job's ID, which isn't known"
}

// Hint says what to do next.
func (*NotProxiedError) Hint() string {
	return "GitLab can send archives itself since 19.4, if its administrator allows that download mode; for job tokens, all versions can"
}

// Unwrap returns the reason.
func (e *NotProxiedError) Unwrap() error { return e.Err }

// modeRefused reports whether GitLab refuses the requested download mode.
func modeRefused(err error) bool {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	return ok && !refusal.FromStorage && refusal.StatusCode == http.StatusBadRequest && strings.Contains(refusal.Message, "download_mode")
}

// reach opens an archive at its address. If GitLab redirects to unreachable storage, or
// if the mode says so, it requests the bytes from GitLab itself, and completes a with the
// job's ID.
func (o *Opener) reach(ctx context.Context, q resolve.Query, a resolve.Artifact, how fetch.Options) (*fetch.File, resolve.Artifact, error) {
	if o.Mode == Direct && a.JobID != 0 {
		address := o.API.DownloadModeURL(gitlab.Project(a.Project), a.JobID, string(Direct))
		if a.Report.Type != "" {
			address = gitlab.ReportInMode(a.URL, string(Direct))
		}
		file, err := fetch.Open(ctx, address, how)
		if !is[*gitlab.Error](err) { // it may say that the mode isn't allowed
			return file, a, err
		}
	}
	if o.Mode != Proxy && !o.through.Load() {
		file, err := o.chosen(ctx, a, how)
		if !o.mayProxy(err) {
			return file, a, err
		}
	}
	if a.JobID == 0 { // without it, GitLab doesn't send the archive itself
		a = o.Resolver.Identified(ctx, q, a)
		how.Size = a.Size
	}
	file, err := o.proxied(ctx, a, how)
	return file, a, err
}

// chosen opens an archive at its address. If GitLab itself should send the bytes, the
// error is a [*fetch.StorageError].
func (o *Opener) chosen(ctx context.Context, a resolve.Artifact, how fetch.Options) (*fetch.File, error) {
	switch {
	case o.Mode == Direct:
		return fetch.Open(ctx, a.URL, how)
	case o.Mode == Proxy:
		o.servers.Avoid("")
	}
	how.Hasty = o.Hasty
	file, err := fetch.Open(ctx, a.URL, how)
	if away, ok := errors.AsType[*fetch.StorageError](err); ok && o.Mode == Auto {
		o.servers.Avoid(away.Host)
		o.through.Store(true)
		o.away.Do(func() { tell(o.Events.Unreachable, away) })
	}
	return file, err
}

// mayProxy reports whether GitLab itself may send what is unreachable in its storage.
func (o *Opener) mayProxy(err error) bool { return o.Mode != Direct && is[*fetch.StorageError](err) }

// proxied opens an archive at the first address where GitLab sends the bytes itself. In
// [Auto], it tries the storage again last.
func (o *Opener) proxied(ctx context.Context, a resolve.Artifact, how fetch.Options) (*fetch.File, error) {
	if o.Mode == Proxy {
		o.servers.Avoid("")
	}
	why := error(&NotProxiedError{})
	for _, address := range o.Resolver.Proxied(a) {
		file, err := fetch.Open(ctx, address, how)
		refusal, refused := errors.AsType[*gitlab.Error](err)
		switch {
		case is[*fetch.StorageError](err), modeRefused(err):
			why = &NotProxiedError{Err: err}
		case refused && refusal.StatusCode != http.StatusUnauthorized:
			why = err
		default:
			return file, err
		}
	}
	if o.Mode == Proxy {
		return nil, why
	}
	o.through.Store(false)
	how.Servers = new(fetch.Servers) // it may redirect to storage again
	file, err := fetch.Open(ctx, a.URL, how)
	if is[*fetch.StorageError](err) {
		err = &NotProxiedError{Err: err, Auto: true}
	}
	return file, err
}
