package transport

import (
	"net/http"
	"time"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

// Exchange is one attempt at a request, or the decision to retry it.
type Exchange struct {
	Method    string
	URL       string        // redacted
	Range     string        // the header
	Status    int           // 0 without an answer
	Err       error         // the reason for no answer; redacted
	Duration  time.Duration // until the headers arrived
	RequestID string        // GitLab's
	Attempt   int           // set if the request will be retried: which attempt failed
	Wait      time.Duration // and the pause before the next
	Asked     time.Duration // set if it won't be retried: the server asks for a longer pause than there is time for
}

type observe struct {
	next   http.RoundTripper
	report func(Exchange)
}

// RoundTrip implements [http.RoundTripper].
func (o *observe) RoundTrip(req *http.Request) (*http.Response, error) {
	start := time.Now()
	resp, err := o.next.RoundTrip(req)
	x := exchange(req, resp, err)
	x.Duration = time.Since(start)
	o.report(x)
	return resp, err
}

// CloseIdleConnections calls the next layer's.
func (o *observe) CloseIdleConnections() { closeIdle(o.next) }

func exchange(req *http.Request, resp *http.Response, err error) Exchange {
	x := Exchange{Method: req.Method, URL: redact.URLOf(req.URL), Range: req.Header.Get("Range"), Err: redact.Error(err)}
	if resp != nil {
		x.Status, x.RequestID = resp.StatusCode, redact.Said(resp, resp.Header.Get("X-Request-Id"))
	}
	if resp != nil && resp.Request != nil {
		x.Range = resp.Request.Header.Get("Range") // as it was sent: see package late
	}
	return x
}
