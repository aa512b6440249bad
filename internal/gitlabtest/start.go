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
	// StorageURL is where GitLab redirects to: with [Options.StorageDown], an
	// address that cannot be reached.
	StorageURL string

	gitlab, storage *httptest.Server
	down            *deadend.Address
}

// Start serves an instance and its storage on loopback.
func Start(w *World, o Options) *Running { return start(w, o, (*httptest.Server).Start) }

// StartTLS is [Start] with certificates; [Running.Certificate] has them.
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

// Env is what the environment of a job has of GitLab's predefined variables:
// [predefined.Job.Variables].
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

// Certificate is the server whose certificate a client must trust. Storage has
// the same one.
func (r *Running) Certificate() *httptest.Server { return r.gitlab }

// Close ends both servers and every connection.
func (r *Running) Close() {
	if r.down != nil {
		r.down.Close()
	}
	for _, s := range []*httptest.Server{r.gitlab, r.storage} {
		s.CloseClientConnections()
		s.Close()
	}
}
