package pin_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/resolve"
)

// unchangedFor makes the project's pipelines that old.
func (p *place) unchangedFor(ago time.Duration) {
	p.server.Update(func(w *gitlabtest.World) {
		for _, pipeline := range w.Projects[0].Pipelines {
			pipeline.CreatedAt, pipeline.UpdatedAt = time.Now().Add(-ago-time.Hour), time.Now().Add(-ago)
		}
	})
}

// asked returns how many lists, archives by ref and archives by ID were requested since the
// last call.
func (p *place) asked() string {
	var lists, byRef, byID int
	for _, r := range p.server.Requests() {
		switch {
		case strings.HasSuffix(r.Path, "/artifacts/main/download"):
			byRef++
		case strings.HasSuffix(r.Path, "/artifacts"):
			byID++
		case r.Host != "storage":
			lists++
		}
	}
	p.server.ResetRequests()
	return fmt.Sprintf("%d lists, %d by ref, %d by ID", lists, byRef, byID)
}

// The bytes of a source that will be downloaded in any case are requested at the same time
// as the list that says which job they belong to. Nothing is requested for it that wasn't
// before.
func TestBytesBesideTheList(t *testing.T) {
	t.Parallel()
	remove := func(p *place) error { return os.RemoveAll(filepath.Join(p.dir, "lib")) }
	for _, tt := range []struct {
		name   string
		locked bool // before
		change func(*place) error
		how    pin.Options
		want   string
		ids    string
	}{
		{name: "not locked", want: "4 lists, 2 by ref, 0 by ID", ids: "lib:1 tool:2"},
		{name: "not locked, and the ref has just changed", change: func(p *place) error { p.unchangedFor(time.Second); return nil }, want: "4 lists, 2 by ref, 2 by ID", ids: "lib:1 tool:2"},
		{name: "not locked, with a cache", change: func(p *place) error { p.loader.Cache.Dir = p.t.TempDir(); return nil }, want: "4 lists, 0 by ref, 2 by ID", ids: "lib:1 tool:2"},
		{name: "not locked, only looking", how: pin.Options{Check: true}, want: "4 lists, 0 by ref, 0 by ID"},
		{name: "one is allowed to be missing", change: func(p *place) error {
			p.write("artifetch.yml", strings.Replace(twoSources, "job: tool,", "job: tool, if-missing: warn,", 1))
			return nil
		}, want: "4 lists, 1 by ref, 1 by ID", ids: "lib:1 tool:2"},
		{name: "locked", locked: true, change: remove, want: "0 lists, 0 by ref, 1 by ID", ids: "lib:1 tool:2"},
		{name: "an update of what is in place", locked: true, how: pin.Options{Update: true}, want: "4 lists, 0 by ref, 2 by ID", ids: "lib:1 tool:2"},
		{name: "an update of what isn't", locked: true, change: remove, how: pin.Options{Update: true}, want: "4 lists, 1 by ref, 1 by ID", ids: "lib:1 tool:2"},
		{name: "the same, of another job", locked: true, change: func(p *place) error {
			p.newPipeline()
			p.unchangedFor(time.Hour)
			return remove(p)
		}, how: pin.Options{Update: true, Names: []string{"lib"}}, want: "2 lists, 1 by ref, 0 by ID", ids: "lib:11 tool:2"},
	} {
		p := newPlace(t, twoSources)
		p.unchangedFor(time.Hour)
		if tt.locked {
			p.mustSync(pin.Options{})
		}
		if tt.change != nil {
			if err := tt.change(p); err != nil {
				t.Fatal(err)
			}
		}
		p.asked()
		p.mustSync(tt.how)
		if got := p.asked(); got != tt.want || jobIDs(p.open()) != tt.ids {
			t.Errorf("%s: %s; locked are %s", tt.name, got, jobIDs(p.open()))
		}
	}
}

// overtaken ends a pipeline after both lists were answered, and before the archives that
// GitLab chooses are requested.
type overtaken struct {
	http.RoundTripper
	lists <-chan struct{} // one for each list that was answered
	end   func()
}

// RoundTrip implements [http.RoundTripper].
func (o *overtaken) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/artifacts/main/download") {
		<-o.lists
		o.end()
	}
	return o.RoundTripper.RoundTrip(r)
}

// listing notes when a list of jobs was answered.
type listing struct {
	http.RoundTripper
	lists chan<- struct{}
}

// RoundTrip implements [http.RoundTripper].
func (l *listing) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(r)
	if strings.HasSuffix(r.URL.Path, "/jobs") {
		l.lists <- struct{}{}
	}
	return resp, err
}

// A job is never locked with another job's bytes: if GitLab has chosen another one than the
// lists name, its archive is downloaded again by ID.
func TestAnotherJob(t *testing.T) {
	t.Parallel()
	p := newPlace(t, strings.SplitAfter(twoSources, "output: lib}\n")[0])
	p.unchangedFor(time.Second)
	lists := make(chan struct{}, 10)
	p.lists.Transport = &listing{p.lists.Transport, lists}
	p.loader.HTTP.Transport = &overtaken{p.loader.HTTP.Transport, lists, p.newPipeline}
	p.mustSync(pin.Options{})
	if lib := p.open().Lock.Sources[0]; lib.JobID != 11 || p.read("lib/a") != "2" || p.read("lib/c") != "2" {
		t.Errorf("job %d, with %q", lib.JobID, p.read("lib/a"))
	}
	if got := p.asked(); !strings.Contains(got, "1 by ref, 2 by ID") { // one byte of the listed job's, and all of the new one's
		t.Error(got)
	}
}

// If the token can't list jobs, no source can be locked. Each is named, nothing is written,
// and the archives that were requested at the same time are given up. A job token that can
// list jobs, but not pipelines, is enough.
func TestUnknownJob(t *testing.T) {
	t.Parallel()
	for version, can := range map[string]bool{"17.0": false, "18.6": true} {
		p := newPlaceOn(t, version, twoSources)
		p.unchangedFor(time.Hour)
		p.connect(gitlabtest.JobToken, resolve.Options{JobToken: true})
		_, err := p.sync(pin.Options{})
		if can {
			if err != nil || jobIDs(p.open()) != "lib:1 tool:2" {
				t.Errorf("%s: %v", version, err)
			}
			continue
		}
		if !isLock(err, pin.UnknownJob) || !strings.Contains(err.Error(), "sources lib, tool: ") || !p.missing("lib") || p.open().HasLock {
			t.Errorf("%s: %v", version, err)
		}
	}
}
