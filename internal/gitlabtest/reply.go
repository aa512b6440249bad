package gitlabtest

import (
	"bytes"
	"net/http"
)

// reply holds an answer back until the world is unlocked: a client that reads
// slowly, or a fault that holds a body, must not keep other requests waiting.
type reply struct {
	header http.Header
	status int // 200 if zero
	body   bytes.Buffer
	stream func(http.ResponseWriter) // answers in place of all that
	extra  map[string]any            // fields of every entity
}

// Header implements [http.ResponseWriter].
func (a *reply) Header() http.Header { return a.header }

// WriteHeader implements [http.ResponseWriter].
func (a *reply) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements [http.ResponseWriter].
func (a *reply) Write(p []byte) (int, error) { return a.body.Write(p) }

func (a *reply) send(w http.ResponseWriter) {
	if a.stream != nil {
		a.stream(w)
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

// locked runs a handler with the world to itself, then sends its answer.
func (s *Server) locked(w http.ResponseWriter, handle func(*reply)) {
	a := &reply{header: w.Header(), extra: s.opts.ExtraFields}
	func() {
		s.state.Lock()
		defer s.state.Unlock()
		handle(a)
	}()
	a.send(w)
}

// nobody discards a response that doesn't reach the client.
type nobody struct{ header http.Header }

// Header implements [http.ResponseWriter].
func (n nobody) Header() http.Header { return n.header }

// WriteHeader implements [http.ResponseWriter].
func (nobody) WriteHeader(int) {}

// Write implements [http.ResponseWriter].
func (nobody) Write(p []byte) (int, error) { return len(p), nil }
