package fetch

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"gitlab.com/artifetch/artifetch/internal/lateheader"
	"gitlab.com/artifetch/artifetch/internal/openfiles"
	"gitlab.com/artifetch/artifetch/internal/redact"
)

// remote is the object behind a file: its address, and what the first answer said about
// it.
type remote struct {
	client  *http.Client
	hasty   *http.Client // until the first answer; nil means client
	check   func(*http.Response) error
	backoff func() Backoff
	onSpool func(have, total int64)
	onFound func()
	origin  string // GitLab's address that was opened
	meter   *Meter
	latency atomic.Int64 // of the last request, until its headers arrived; nanoseconds
	timing  timing
	servers *Servers
	sizes   sizes
	most    int // connections

	ahead     *early        // of the first answer; nil if nothing can be requested ahead of it
	settled   chan struct{} // closed when the first answer has identified the object
	validator validator     // valid once settled

	identified time.Time // when the answer arrived that says which object it is; valid once settled

	mu         sync.Mutex
	home       string        // GitLab's address for later requests: see File.UseAddress
	current    string        // the address for ranges, after all redirects
	generation int           // how often current was replaced
	renewing   chan struct{} // closed when a renewal ends; nil if none is running
	changed    error         // sticky: after one read has found a change, all fail
	strict     bool          // nothing but the strong ETag of each answer checks the bytes
	lax        bool          // an answer without it has been accepted
}

func newRemote(url string, o Options) *remote {
	r := &remote{
		check: o.Check, backoff: o.Backoff, onSpool: o.OnSpool, onFound: sync.OnceFunc(o.OnFound), servers: o.Servers, meter: o.Meter, origin: url, home: url, current: url, most: o.Connections,
		sizes: sizesOf(o.Share), strict: o.atOnce() || o.CacheDir != "", settled: make(chan struct{}),
	}
	client := *o.Client
	client.CheckRedirect = r.watch(client.CheckRedirect)
	r.client = &client
	if o.Hasty != nil {
		hasty := *o.Hasty
		hasty.CheckRedirect = client.CheckRedirect
		r.hasty = &hasty
	}
	return r
}

// clientNow returns the client for a request: the patient one once a file is open.
func (r *remote) clientNow() *http.Client {
	select {
	case <-r.settled:
	default:
		if r.hasty != nil {
			return r.hasty
		}
	}
	return r.client
}

// ask makes one request and judges the answer.
func (r *remote) ask(ctx context.Context, address string, q question) (answer, error) {
	hop := new(string)
	req, err := http.NewRequestWithContext(context.WithValue(r.timing.trace(ctx), hopKey{}, hop), http.MethodGet, address, nil)
	if err != nil {
		return answer{}, redact.Error(err)
	}
	q.ask(req.Header)
	if q == everything && r.ahead != nil {
		req = req.WithContext(lateheader.Change(req.Context(), r.ahead.narrow))
	}
	r.meter.requests.Add(1)
	start := time.Now()
	resp, err := r.clientNow().Do(req)
	if err != nil {
		return answer{}, unanswered(ctx, err, *hop)
	}
	r.latency.Store(int64(time.Since(start)))
	redirected := resp.Request.Response != nil
	a, err := q.narrowed(resp.Request.Header).judge(resp, redirected || !r.gitlabs(address), r.check)
	if err == nil {
		r.onFound()
	}
	return a, err
}

// unanswered returns the error of a request without an answer. hop is the host that
// GitLab redirected it to, if any. It isn't unreachable if this process can't open a
// connection.
func unanswered(ctx context.Context, err error, hop string) error {
	err = notAnEnd(redact.Error(err))
	if hop == "" || ctx.Err() != nil || openfiles.Exhausted(err) {
		return err
	}
	return &StorageError{hop, err}
}

// first makes a request to GitLab. If the address that GitLab redirects to has already
// expired, it tries once more.
func (r *remote) first(ctx context.Context, q question) (answer, error) {
	a, err := r.ask(ctx, r.origin, q)
	if err == nil && a.outcome == gotExpired {
		a, err = r.ask(ctx, r.origin, q)
	}
	if err == nil && a.outcome == gotExpired {
		err = a.why
	}
	return a, err
}

// settle records what the first answer says about the object.
func (r *remote) settle(resp *http.Response, total int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.validator, r.identified = newValidator(resp, total), time.Now()
	r.move(resp.Request.URL)
	select {
	case <-r.settled: // before the download started over
	default:
		close(r.settled)
	}
}

// waitSettled waits until the first answer has identified the object.
func (r *remote) waitSettled(ctx context.Context) error {
	select {
	case <-r.settled:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// get requests the bytes [off, end). If the pre-signed address has expired, it gets a new
// one from GitLab, once for all readers.
func (r *remote) get(ctx context.Context, off, end int64) (*http.Response, error) {
	address, generation, err := r.where(ctx)
	if err != nil {
		return nil, err
	}
	q := question{kind: askSpan, off: off, end: end}
	a, err := r.askFor(ctx, address, q)
	if err != nil {
		return nil, err
	}
	if err := r.waitSettled(ctx); err != nil {
		_ = a.Body.Close() // it isn't needed
		return nil, err
	}
	if a.outcome == gotExpired {
		if a, err = r.renew(ctx, generation, q); err != nil {
			return nil, err
		}
	}
	if err := r.sameObject(a); err != nil {
		_ = a.Body.Close() // the answer has the error
		return nil, err
	}
	return a.Response, nil
}

// redirected reports whether ranges come from another host than GitLab. A project that
// has moved redirects within GitLab.
func (r *remote) redirected() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return host(r.current) != host(r.home)
}

// askFor requests a range of the object that was opened.
func (r *remote) askFor(ctx context.Context, address string, q question) (answer, error) {
	select {
	case <-r.settled:
		q.etag = r.validator.ifRange(address)
	default: // the answer is checked when the first one has arrived
	}
	return r.ask(ctx, address, q)
}

// sameObject checks an answer to a range against the first answer: bytes of two objects
// must never mix.
func (r *remote) sameObject(a answer) error {
	switch {
	case a.outcome == gotAll: // If-Range did not match
		return r.change("the server sent all of it in answer to a range request")
	case a.outcome == gotBeyond:
		return r.change("it is shorter now")
	case a.outcome != gotPart:
		return a.why
	case a.part.total != r.validator.total:
		return r.change(fmt.Sprintf("it has %d bytes now, not %d", a.part.total, r.validator.total))
	case !r.validator.matches(a.Response), !r.accepts(r.validator.sameETag(a.Response)):
		return r.change("its ETag or date is different now")
	}
	return nil
}

// accepts reports whether an answer may be used that has the same strong ETag as the
// first one, or not.
func (r *remote) accepts(sameETag bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lax = r.lax || !sameETag
	return sameETag || !r.strict
}

// insist makes the strong ETag of the first answer a condition for all others. It
// reports whether there is one, and whether all answers so far have had it.
func (r *remote) insist() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.strict = true
	return r.validator.etag != "" && !r.lax
}

func (r *remote) change(how string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed == nil {
		r.changed = fmt.Errorf("%w: %s", ErrChanged, how)
	}
	return r.changed
}

// digest returns the archive's SHA-256, if the ETag comes from GitLab and not from the
// storage that it redirected to.
func (r *remote) digest() string {
	origin, err := url.Parse(r.origin)
	if err != nil || origin.Host != r.validator.host {
		return ""
	}
	return r.validator.sha256()
}
