package fetch

import (
	"context"
	"errors"
	"net/http"
	"net/url"
)

// hopKey is the context key for the host that GitLab redirected a request to.
type hopKey struct{}

// hopOf returns where to note the host that a request is redirected to.
func hopOf(req *http.Request) *string {
	if hop, ok := req.Context().Value(hopKey{}).(*string); ok {
		return hop
	}
	return new(string)
}

// watch returns a CheckRedirect that notices when GitLab redirects the first request to
// another host. check is the client's own CheckRedirect, or nil.
func (r *remote) watch(check func(*http.Request, []*http.Request) error) func(*http.Request, []*http.Request) error {
	check = orDefault(check)
	return func(req *http.Request, via []*http.Request) error {
		err, hop := check(req, via), hopOf(req)
		if err != nil {
			*hop = "" // it has answered, with a redirect
			return err
		}
		if req.URL.Host != via[0].URL.Host {
			if *hop = req.URL.Host; r.servers.avoids(*hop) {
				return errAvoided
			}
			r.onFound()
		}
		if req.URL.Host != via[0].URL.Host && req.Header.Get("Range") == everything.String() {
			r.mu.Lock()
			r.move(req.URL)
			r.mu.Unlock()
			// Don't request more than fits in memory: this connection may never read the
			// rest.
			question{kind: askSpan, end: r.sizes.whole}.ask(req.Header)
			r.ahead.redirected(req.Header)
		}
		return nil
	}
}

// orDefault returns check, or what net/http does without one.
func orDefault(check func(*http.Request, []*http.Request) error) func(*http.Request, []*http.Request) error {
	if check != nil {
		return check
	}
	return func(_ *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return errors.New("stopped after 10 redirects")
		}
		return nil
	}
}

// UseAddress sends later requests to another GitLab address that serves the same archive and
// won't switch to a newer one. Each answer is still checked against the first. Ranges
// keep coming from the same object storage address; once it expires, GitLab signs a new
// one.
func (f *File) UseAddress(address string) { f.remote.useAddress(address) }

func (r *remote) useAddress(address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current == r.home {
		r.current = address
	}
	r.home = address
}

// useListed switches to the job's own address if GitLab's listing has arrived.
func (r *remote) useListed(o Options, size int64) {
	select {
	case listed := <-o.Soon:
		if listed.URL != "" && listed.Size == size {
			r.useAddress(listed.URL)
		}
	default:
	}
}

// gitlabs reports whether an address belongs to GitLab, rather than being pre-signed.
func (r *remote) gitlabs(address string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return address == r.origin || address == r.home
}

// move replaces the address for ranges. The caller has locked r.mu.
func (r *remote) move(to *url.URL) {
	if address := to.String(); address != r.current {
		r.current = address
		r.generation++
	}
}

// where returns the address for ranges. During a renewal it waits: storage would refuse
// requests to the old address.
func (r *remote) where(ctx context.Context) (address string, generation int, err error) {
	for {
		r.mu.Lock()
		address, generation, err = r.current, r.generation, r.changed
		renewing := r.renewing
		r.mu.Unlock()
		if renewing == nil || err != nil {
			return address, generation, err
		}
		select {
		case <-renewing:
		case <-ctx.Done():
			return "", 0, context.Cause(ctx)
		}
	}
}

// renew gets a new address from GitLab, unless another reader has already done so.
func (r *remote) renew(ctx context.Context, generation int, q question) (answer, error) {
	for {
		address, now, err := r.where(ctx)
		if err != nil {
			return answer{}, err
		}
		if now != generation {
			return r.askFor(ctx, address, q)
		}
		if home, done := r.beginRenewal(generation); done != nil {
			a, err := r.askFor(ctx, home, q)
			done(a, err)
			return a, err
		}
	}
}

// beginRenewal returns the address to ask, and a function that ends the renewal, or nil if
// another reader was faster.
func (r *remote) beginRenewal(generation int) (home string, done func(answer, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.renewing != nil || r.generation != generation {
		return "", nil
	}
	renewing := make(chan struct{})
	r.renewing = renewing
	return r.home, func(a answer, err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if err == nil && a.outcome == gotPart {
			r.current = a.Request.URL.String()
			r.generation++
		}
		r.renewing = nil
		close(renewing)
	}
}
