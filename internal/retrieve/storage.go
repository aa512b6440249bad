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

// DownloadMode says where the bytes of archives come from that GitLab keeps in object
// storage.
type DownloadMode string

// The modes. Direct and Proxy are those of GitLab's parameter download_mode.
const (
	Auto   DownloadMode = ""       // from where GitLab says; if that can't be reached, from GitLab itself
	Direct DownloadMode = "direct" // from the storage
	Proxy  DownloadMode = "proxy"  // from GitLab itself
)

// NotProxiedError reports that GitLab doesn't send an archive's bytes itself.
type NotProxiedError struct {
	Err  error // a [*fetch.StorageError], GitLab's refusal, or nil if the job's ID isn't known
	Auto bool  // the storage was tried as well
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
	return "GitLab can be asked to send an archive itself only by the job's ID, which is not known"
}

// Hint says what to do next.
func (*NotProxiedError) Hint() string {
	return "GitLab can send archives itself since 19.4, if its administrator allows that download mode; for job tokens, all versions can"
}

// Unwrap gives the reason.
func (e *NotProxiedError) Unwrap() error { return e.Err }

// modeRefused reports whether GitLab refuses because of the download mode that was asked for.
func modeRefused(err error) bool {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	return ok && !refusal.FromStorage && refusal.StatusCode == http.StatusBadRequest && strings.Contains(refusal.Message, "download_mode")
}

// reach opens an archive at its address. If GitLab redirects to storage that can't be
// reached, or if the mode says so, GitLab is asked for the bytes itself.
func (o *Opener) reach(ctx context.Context, a resolve.Artifact, how fetch.Options) (*fetch.File, error) {
	if o.Mode == Direct && a.JobID != 0 {
		address := o.API.DownloadModeURL(gitlab.Project(a.Project), a.JobID, string(Direct))
		if a.Report.Type != "" {
			address = gitlab.ReportInMode(a.URL, string(Direct))
		}
		file, err := fetch.Open(ctx, address, how)
		if !is[*gitlab.Error](err) { // which also says that the mode isn't allowed
			return file, err
		}
	}
	if o.Mode != Proxy && !o.through.Load() {
		file, err := o.chosen(ctx, a, how)
		if !o.mayProxy(err) {
			return file, err
		}
	}
	return o.proxied(ctx, a, how)
}

// chosen opens an archive at the address that it has. The error is a
// [*fetch.StorageError] if GitLab should be asked for the bytes itself.
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

// mayProxy reports whether GitLab itself may send what can't be reached in its storage.
func (o *Opener) mayProxy(err error) bool { return o.Mode != Direct && is[*fetch.StorageError](err) }

// proxied opens an archive at the first address where GitLab sends the bytes itself. In
// [Auto], the storage has the last word.
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
	how.Servers = new(fetch.Servers) // it avoids nothing
	file, err := fetch.Open(ctx, a.URL, how)
	if is[*fetch.StorageError](err) {
		err = &NotProxiedError{Err: err, Auto: true}
	}
	return file, err
}
