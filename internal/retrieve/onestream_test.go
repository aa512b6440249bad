package retrieve_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

// breaking breaks off the first archive after 70 kB, and then calls after.
type breaking struct {
	http.RoundTripper
	after func()
	done  bool
}

// RoundTrip implements [http.RoundTripper].
func (b *breaking) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil && !b.done && strings.HasSuffix(r.URL.Path, "/artifacts") {
		b.done = true
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(resp.Body, 70_000), broken(b.after)), resp.Body}
	}
	return resp, err
}

type broken func()

func (b broken) Read([]byte) (int, error) { b(); return 0, io.ErrUnexpectedEOF }

// The archive that is written to standard output, or a raw report, is never a mixture,
// although nothing is there that tells two archives apart.
func TestCopiesDontMix(t *testing.T) {
	t.Parallel()
	one, two := noise(200_001)[1:], noise(200_000)
	for _, report := range []string{"", "sast"} {
		world := func(content string) *gitlabtest.Job {
			j := job(21, "build", gitlabtest.Zip(gitlabtest.File{Name: "x", Content: content, Store: true}))
			j.Artifacts = []*gitlabtest.Artifact{{Type: "sast", Content: []byte(content)}}
			return j
		}
		i := start(t, withJobs(world(one)), gitlabtest.Options{Mode: gitlabtest.ModeDisk, Version: "19.4"}, gitlabtest.PrivateToken)
		i.HTTP.Transport = &breaking{RoundTripper: &vague{RoundTripper: i.HTTP.Transport, validators: true}, after: func() {
			i.Update(func(w *gitlabtest.World) {
				*w.Projects[0].Pipelines[1].Jobs[len(w.Projects[0].Pipelines[1].Jobs)-1] = *world(two)
			})
		}}
		i.Backoff = nil // fetch has three attempts
		q := resolve.Query{Project: "1", JobID: 21}
		if report != "" {
			q.Reports = []string{report}
		}
		var got bytes.Buffer
		l := &retrieve.Loader{Opener: i.Opener}
		if _, err := l.Copy(t.Context(), retrieve.Task{Query: q}, &got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(got.Bytes(), []byte(two)) {
			t.Errorf("report %q: %d bytes of two archives", report, got.Len())
		}
	}
}

// An archive that is written to standard output has progress.
func TestCopyHasProgress(t *testing.T) {
	t.Parallel()
	archive := gitlabtest.Zip(gitlabtest.File{Name: "x", Content: noise(3_000_000), Store: true})
	i := start(t, withJobs(job(21, "build", archive)), gitlabtest.Options{Mode: gitlabtest.ModeRedirect}, gitlabtest.PrivateToken)
	var planned, got int64
	i.Events.Progress = func(string) retrieve.Progress {
		return retrieve.Progress{Plan: func(n int64) { planned += n }, Read: func(n int) { got += int64(n) }}
	}
	l := &retrieve.Loader{Opener: i.Opener}
	if _, err := l.Copy(t.Context(), retrieve.Task{Query: resolve.Query{Project: "1", JobID: 21}}, io.Discard); err != nil {
		t.Fatal(err)
	}
	if want := int64(len(archive)); planned != want || got != want {
		t.Errorf("%d bytes planned, %d read, want %d", planned, got, want)
	}
}

// replacing breaks off the first archives that are sent, and replaces the archive after
// some of them.
type replacing struct {
	http.RoundTripper
	broken, after int
	replace       func()
	sent          atomic.Int32
}

// RoundTrip implements [http.RoundTripper].
func (p *replacing) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := p.RoundTripper.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/artifacts") {
		return resp, err
	}
	n := int(p.sent.Add(1))
	if n == p.after {
		p.replace()
	}
	if n <= p.broken {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(resp.Body, 70_000), broken(func() {})), resp.Body}
	}
	return resp, nil
}

// tarOf returns a tar with one file.
func tarOf(t *testing.T, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: "x", Mode: 0o644, Size: int64(len(content))})
	if err == nil {
		_, err = io.WriteString(w, content)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A tar has no checksums for its files. Whichever part of it is downloaded when, its
// files are never a mixture of two tars, although nothing tells these apart.
func TestTarsDontMix(t *testing.T) {
	t.Parallel()
	for _, size := range []int{200_000, 3 << 20} {
		one, two := noise(size + 1)[1:], noise(size)
		for _, include := range [][]string{nil, {"x"}} {
			for n := range 12 {
				o := replacing{broken: n / 4, after: 1 + n%4}
				i := start(t, withJobs(job(21, "build", tarOf(t, one))), gitlabtest.Options{Mode: gitlabtest.ModeDisk}, gitlabtest.PrivateToken)
				o.RoundTripper = &vague{RoundTripper: i.HTTP.Transport, validators: true}
				o.replace = func() {
					i.Update(func(w *gitlabtest.World) {
						*w.Projects[0].Pipelines[1].Jobs[len(w.Projects[0].Pipelines[1].Jobs)-1] = *job(21, "build", tarOf(t, two))
					})
				}
				i.HTTP.Transport, i.Backoff = &o, nil // fetch has three attempts
				dir := t.TempDir()
				_, err := i.retriever().Run(t.Context(), retrieve.Options{
					Query: resolve.Query{Project: "1", JobID: 21}, Output: parse(t, dir), Extract: extract.Options{Selection: extract.Selection{Include: include}},
				})
				if err != nil {
					t.Errorf("%d bytes, %q, %d: %v", size, include, n, err)
				} else if got := read(t, dir, "x"); got != one && got != two {
					t.Errorf("%d bytes, %q, %d: a mixture of two tars", size, include, n)
				}
			}
		}
	}
}
