package transport

import (
	"net/http"
	"time"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

// Exchange is one attempt at a request, or the decision to repeat it.
type Exchange struct {
	Method    string
	URL       string        // redacted
	Range     string        // the byte range asked for, as in the header
	Status    int           // 0 without an answer
	Err       error         // why there is no answer; redacted
	Duration  time.Duration // until the headers of the answer
	RequestID string        // GitLab's
	Attempt   int           // set when the request will be repeated: which attempt failed
	Wait      time.Duration // and after which pause
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

// CloseIdleConnections is passed on.
func (o *observe) CloseIdleConnections() { closeIdle(o.next) }

func exchange(req *http.Request, resp *http.Response, err error) Exchange {
	x := Exchange{Method: req.Method, URL: redact.URLOf(req.URL), Range: req.Header.Get("Range"), Err: redact.Error(err)}
	if resp != nil {
		x.Status, x.RequestID = resp.StatusCode, resp.Header.Get("X-Request-Id")
	}
	return x
}
