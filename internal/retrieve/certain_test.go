package retrieve_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
)

// vague hides what answers say about archives.
type vague struct {
	http.RoundTripper
	length     bool   // the length of archives
	validators bool   // their ETag and date
	size       string // lists have this instead of the archive's size
}

var listedSize = regexp.MustCompile(`"size":\d+`)

// RoundTrip implements [http.RoundTripper].
func (v *vague) RoundTrip(r *http.Request) (*http.Response, error) {
	list := strings.HasSuffix(r.URL.Path, "/jobs")
	if v.length && !list {
		r = r.Clone(r.Context())
		r.Header.Del("Range")
	}
	resp, err := v.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if v.length && !list {
		resp.ContentLength = -1
		resp.TransferEncoding = []string{"chunked"}
		resp.Header.Del("Content-Length")
	}
	if v.validators {
		resp.Header.Del("ETag")
		resp.Header.Del("Last-Modified")
	}
	if v.size != "" && list {
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.Body.Close() != nil {
			return nil, errors.Join(err, io.ErrUnexpectedEOF)
		}
		body = listedSize.ReplaceAll(body, []byte(v.size))
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return resp, nil
}

// If neither the list nor the answer has a size that differs, nothing contradicts that
// the archive is the listed job's: it is downloaded once, without a warning.
func TestUnknownSizesContradictNothing(t *testing.T) {
	t.Parallel()
	for _, ago := range []time.Duration{time.Hour, time.Second} {
		for _, mode := range []gitlabtest.Mode{gitlabtest.ModeDisk, gitlabtest.ModeRedirect} {
			for _, v := range []vague{{length: true}, {length: true, size: `"size":0`}, {size: `"size":0`}, {size: `"size":null`}, {size: `"other":1`}, {size: `"size":-5`}} {
				for _, whole := range []bool{false, true} {
					i := start(t, history(ago), gitlabtest.Options{Mode: mode}, gitlabtest.PrivateToken)
					transport := v
					transport.RoundTripper = i.HTTP.Transport
					i.HTTP.Transport = &transport
					lists := v
					lists.RoundTripper = i.lists.Transport
					i.lists.Transport = &lists
					over := 0
					i.Events.StartingOver = func(err error) { t.Log(err); over++ }
					out, err := parse(t, t.TempDir()), error(nil)
					if whole {
						if out, err = retrieve.ParseArchive(filepath.Join(t.TempDir(), "x.zip")); err != nil {
							t.Fatal(err)
						}
					}
					done, err := i.retriever().Run(t.Context(), retrieve.Options{Query: byName("build"), Output: out})
					if err != nil {
						t.Fatal(err)
					}
					if size := done[0].Artifact.Size; size < 100_000 {
						t.Errorf("size %d", size)
					}
					if byRef, byID, _ := i.toGitLab(21); over != 0 || byRef != 1 || byID > 1 || done[0].Artifact.JobID != 21 {
						t.Errorf("%s, %v ago, %+v, whole %v: started over %d times, %d requests by ref, %d by ID, job %d", mode, ago, v, whole, over, byRef, byID, done[0].Artifact.JobID)
					}
				}
			}
		}
	}
}

// If nothing shows which job an archive belongs to, the run starts over with the list,
// and says why. That it is another job's is said only if it is.
func TestCannotTell(t *testing.T) {
	t.Parallel()
	for _, other := range []bool{false, true} {
		for _, v := range []vague{{validators: true}, {validators: true, length: true}} {
			i := start(t, history(time.Second), gitlabtest.Options{Mode: gitlabtest.ModeDisk}, gitlabtest.PrivateToken)
			v.RoundTripper = i.HTTP.Transport
			i.HTTP.Transport = &v
			if other {
				i.HTTP.Transport = &overtaken{RoundTripper: &v, instance: i}
			}
			var why []error
			i.Events.StartingOver = func(err error) { why = append(why, err) }
			dir, want, version := t.TempDir(), int64(21), "2"
			if other {
				want, version = 31, "3"
			}
			done, err := i.retriever().Run(t.Context(), retrieve.Options{Query: byName("build"), Output: parse(t, dir)})
			if err != nil {
				t.Fatal(err)
			}
			if done[0].Artifact.JobID != want || read(t, dir, "version") != version {
				t.Errorf("job %d, version %s, want %d", done[0].Artifact.JobID, read(t, dir, "version"), want)
			}
			if len(why) != 1 || !strings.Contains(why[0].Error(), "cannot tell whether") {
				t.Errorf("other %v: %v", other, why)
			}
		}
	}
}
