package gitlabtest

import (
	"errors"
	"fmt"
	"net/http/httptest"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/predefined"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/deadend"
)

// Running is an instance on loopback.
type Running struct {
	*Server
	URL, APIURL string
	// StorageURL is the address that GitLab redirects to: with [Options.StorageDown], an
	// unreachable one.
	StorageURL string

	gitlab, storage *httptest.Server
	down            *deadend.Address
}

// Start serves an instance and its storage on loopback.
func Start(w *World, o Options) *Running { return start(w, o, (*httptest.Server).Start) }

// StartTLS is [Start] with TLS; [Running.Certificate] has the certificate.
func StartTLS(w *World, o Options) *Running { return start(w, o, (*httptest.Server).StartTLS) }

func start(w *World, o Options, begin func(*httptest.Server)) *Running {
	s := New(w, o)
	r := &Running{Server: s, gitlab: httptest.NewUnstartedServer(s), storage: httptest.NewUnstartedServer(s.Storage())}
	begin(r.gitlab)
	begin(r.storage)
	r.URL = r.gitlab.URL + o.RelativeRoot
	r.APIURL = r.URL + "/api/v4"
	r.StorageURL = r.storage.URL
	if o.StorageDown != "" {
		down, err := deadend.Open(o.StorageDown)
		if s.wrong = errors.Join(s.wrong, err); err == nil {
			r.down, r.StorageURL = down, down.URL
		}
	}
	s.SetStorageURL(r.StorageURL)
	return r
}

// Env returns the job's predefined variables: [predefined.Job.Variables].
func (r *Running) Env(job int64) (map[string]string, error) {
	r.state.Lock()
	defer r.state.Unlock()
	j, pipeline, project := r.world.Job(job)
	if j == nil {
		return nil, fmt.Errorf("no job %d", job)
	}
	of := predefined.Job{World: r.world, Job: j, Pipeline: pipeline, Project: project, Web: r.URL, Version: r.opts.Version, Has: r.has}
	return of.Variables(), nil
}

// Certificate returns the server whose certificate clients must trust. Storage uses the
// same one.
func (r *Running) Certificate() *httptest.Server { return r.gitlab }

// Close stops both servers and closes all connections.
func (r *Running) Close() {
	if r.down != nil {
		r.down.Close()
	}
	for _, s := range []*httptest.Server{r.gitlab, r.storage} {
		s.CloseClientConnections()
		s.Close()
	}
}
