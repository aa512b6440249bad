package retrieve_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/internal/transport"
	"gitlab.com/artifetch/artifetch/resolve"
)

// instance is a simulated GitLab, and everything that a run with one token needs to use
// it.
type instance struct {
	*gitlabtest.Running
	*retrieve.Opener
	lists *http.Client // for JSON
}

// policy retries at once, so that no test waits.
var policy = transport.Policy{Retries: -1}

func start(t *testing.T, world *gitlabtest.World, o gitlabtest.Options, token string) instance {
	t.Helper()
	server := gitlabtest.Start(world, o)
	t.Cleanup(server.Close)
	return connect(t, server, token, policy)
}

// connect returns another run with a token.
func connect(t *testing.T, server *gitlabtest.Running, token string, policy transport.Policy) instance {
	t.Helper()
	api, err := url.Parse(server.APIURL)
	if err != nil {
		t.Fatal(err)
	}
	header := "PRIVATE-TOKEN"
	if token == gitlabtest.JobToken {
		header = "JOB-TOKEN"
	}
	clients := transport.New(transport.Options{API: api, Header: header, Token: token, Retry: policy})
	t.Cleanup(clients.Stream.CloseIdleConnections)
	g := gitlab.New(api, clients.Whole, clients.Stream)
	return instance{server, &retrieve.Opener{
		HTTP: clients.Stream, API: g, Resolver: resolve.New(resolve.Options{API: g, JobToken: header == "JOB-TOKEN"}),
		Backoff: func() fetch.Backoff { return policy.Backoff() }, Own: retrieve.Project{ID: "1", Path: "group/app"},
	}, clients.Whole}
}

// asked returns how many requests were made, for lists and for archives.
func (i instance) asked() (api, archives int) {
	for _, r := range i.Requests() {
		if r.Host == "storage" || strings.HasSuffix(r.Path, "/artifacts") || strings.Contains(r.Path, "/artifacts/main/download") {
			archives++
			continue
		}
		api++
	}
	return api, archives
}

// retriever retrieves as a command does.
func (i instance) retriever() *retrieve.Retriever {
	return &retrieve.Retriever{Loader: &retrieve.Loader{Opener: i.Opener}, Pauses: soon}
}

// soon waits a millisecond between attempts.
func soon(time.Duration) fetch.Backoff { return constant(time.Millisecond) }

type constant time.Duration

func (c constant) NextBackOff() time.Duration { return time.Duration(c) }

func (constant) Reset() {}

// parse returns the Output for a valid directory.
func parse(t *testing.T, dir string) retrieve.Output {
	t.Helper()
	o, err := retrieve.ParseOutput(dir)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// tree lists the files and links below dir.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, file)
		files = append(files, filepath.ToSlash(name))
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	slices.Sort(files)
	return strings.Join(files, " ")
}

func read(t *testing.T, elem ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// noise returns n bytes that don't compress.
func noise(n int) string {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b) // never fails
	return string(b)
}

// largeArchive has a file and a link among megabytes, more than a connection buffers.
var largeArchive = sync.OnceValue(func() []byte {
	return gitlabtest.Zip(
		gitlabtest.File{Name: "a", Content: "content of a\n"}, gitlabtest.File{Name: "l", Link: "a"},
		gitlabtest.File{Name: "dist/a", Content: "12345"}, gitlabtest.File{Name: "noise", Content: noise(24 << 20), Store: true})
})

func job(id int64, name string, archive []byte) *gitlabtest.Job {
	return &gitlabtest.Job{ID: id, Name: name, Archive: archive}
}

// withJobs is the fixture with more jobs in the successful pipeline 100 of main.
func withJobs(jobs ...*gitlabtest.Job) *gitlabtest.World {
	w := gitlabtest.Fixture()
	p := w.Projects[0].Pipelines[1]
	if p.ID != 100 {
		panic(fmt.Sprint("the fixture has changed: ", p.ID))
	}
	p.Jobs = append(p.Jobs, jobs...)
	return w
}
