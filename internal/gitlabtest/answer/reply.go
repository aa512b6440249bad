package answer

import (
	"bytes"
	"net/http"
)

// Reply buffers an answer until the world is unlocked: a client that reads slowly, or
// a fault that stops halfway through a body, must not block other requests.
type Reply struct {
	header http.Header
	status int // 200 if zero
	body   bytes.Buffer
	Stream func(http.ResponseWriter) // if set, writes the answer instead of status and body
	extra  map[string]any            // added to every object with an id
}

// Header implements [http.ResponseWriter].
func (a *Reply) Header() http.Header { return a.header }

// WriteHeader implements [http.ResponseWriter].
func (a *Reply) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements [http.ResponseWriter].
func (a *Reply) Write(p []byte) (int, error) { return a.body.Write(p) }

// New makes a Reply that shares w's header. [Respond] adds the extra fields to every
// object with an id.
func New(w http.ResponseWriter, extra map[string]any) *Reply {
	return &Reply{header: w.Header(), extra: extra}
}

// Send writes the answer to w.
func (a *Reply) Send(w http.ResponseWriter) {
	if a.Stream != nil {
		a.Stream(w)
		return
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	w.WriteHeader(a.status)
	if a.body.Len() > 0 {
		_, _ = w.Write(a.body.Bytes()) // the client may be gone
	}
}

// discard discards a response that doesn't reach the client.
type discard struct{ header http.Header }

// NewDiscard makes a Discard.
func NewDiscard() discard { return discard{http.Header{}} }

// Header implements [http.ResponseWriter].
func (n discard) Header() http.Header { return n.header }

// WriteHeader implements [http.ResponseWriter].
func (discard) WriteHeader(int) {}

// Write implements [http.ResponseWriter].
func (discard) Write(p []byte) (int, error) { return len(p), nil }
