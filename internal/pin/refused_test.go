package pin_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/resolve"
)

// reason is how an error is classified for programs.
func reason(err error) resolve.Reason {
	e, ok := errors.AsType[interface {
		error
		Reason() resolve.Reason
	}](err)
	if !ok {
		return ""
	}
	return e.Reason()
}

// forbidden refuses the lists of pipelines and jobs.
type forbidden struct{ http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (f forbidden) RoundTrip(r *http.Request) (*http.Response, error) {
	if path := r.URL.Path; strings.HasSuffix(path, "/pipelines") || strings.HasSuffix(path, "/jobs") {
		return &http.Response{
			StatusCode: http.StatusForbidden, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
			Body: io.NopCloser(strings.NewReader(`{"message":"403 Forbidden"}`)),
		}, nil
	}
	return f.RoundTripper.RoundTrip(r)
}

// If the lists are refused, the archive shows why: the token is refused, or the project or
// the job doesn't exist. Only if the archive can be read, the token can't list jobs.
func TestWhyListsAreRefused(t *testing.T) {
	t.Parallel()
	const one = "version: 1\nsources:\n  - {name: lib, project: group/app, ref: main, job: lib, output: lib}\n"
	nowhere := strings.Replace(one, "group/app", "nope/app", 1)
	for _, tt := range []struct {
		name, manifest, token string
		closed                bool // the lists
		want                  resolve.Reason
		mayMiss               bool // if-missing applies
	}{
		{name: "a refused token", manifest: one, token: "glpat-wrong", want: resolve.ReasonToken},
		{name: "no token", manifest: one, want: resolve.ReasonProject},
		{name: "no such project", manifest: nowhere, token: gitlabtest.PrivateToken, want: resolve.ReasonProject},
		{name: "no such project, closed lists", manifest: nowhere, token: gitlabtest.PrivateToken, closed: true, want: resolve.ReasonProject},
		{name: "no such job, closed lists", manifest: strings.Replace(one, "job: lib", "job: none", 1), token: gitlabtest.PrivateToken, closed: true, want: resolve.ReasonNoJob, mayMiss: true},
		{name: "closed lists", manifest: one, token: gitlabtest.PrivateToken, closed: true},
	} {
		for _, warns := range []string{"", "if-missing: warn, "} {
			for _, how := range []pin.Options{{}, {Update: true}, {Check: true}, {DryRun: true}} {
				p := newPlace(t, strings.Replace(tt.manifest, "output", warns+"output", 1))
				p.unchangedFor(time.Hour)
				p.connect(tt.token, resolve.Options{})
				if tt.closed {
					p.lists.Transport = forbidden{p.lists.Transport}
				}
				_, err := p.sync(how)
				switch {
				case tt.mayMiss && warns != "":
					if err != nil {
						t.Errorf("%s, %s%+v: %v", tt.name, warns, how, err)
					}
				case isLock(err, pin.UnknownJob) != (tt.want == "") || reason(err) != tt.want:
					t.Errorf("%s, %s%+v: %v", tt.name, warns, how, err)
				}
			}
		}
	}
}
