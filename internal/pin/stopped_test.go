package pin_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/manifest"
)

// ending is a context that ends when it is asked for the n-th time whether it has: each is a
// moment at which a run can notice a signal.
type ending struct {
	context.Context
	left atomic.Int64
	stop context.CancelCauseFunc
}

var errStop = errors.New("stop")

func endingAt(ctx context.Context, n int64) *ending {
	e := &ending{}
	e.Context, e.stop = context.WithCancelCause(ctx)
	e.left.Store(n)
	return e
}

func (e *ending) count() {
	if e.left.Add(-1) == 0 {
		e.stop(errStop)
	}
}

// Done implements [context.Context].
func (e *ending) Done() <-chan struct{} {
	e.count()
	return e.Context.Done()
}

// Err implements [context.Context].
func (e *ending) Err() error {
	e.count()
	return e.Context.Err()
}

// times differ between two runs that do the same.
var times = regexp.MustCompile(`"resolved_at": "[^"]*"`)

// all returns everything in the directory, except times.
func (p *place) all() map[string]string {
	p.t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		text := d.Type().String()
		if d.Type().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text = times.ReplaceAllString(string(content), "")
		}
		found[path[len(p.dir):]] = text
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return found
}

// stopped is a run that may be stopped.
type stopped struct {
	manifest string // before the run; it is synced as twoSources
	extras   []string
	options  pin.Options
	edit     func(pin.Workspace) (pin.Workspace, error)
}

// at makes the run in a new place, and stops it at the n-th moment. It returns what there was
// before, and whether the run came so far.
func (s stopped) at(t *testing.T, n int64) (p *place, before map[string]string, ended bool, err error) {
	t.Helper()
	p = newPlace(t, twoSources)
	p.mustSync(pin.Options{})
	p.newPipeline()
	p.write("lib/extra", "mine")
	p.write("artifetch.yml", s.manifest)
	w, err := s.edit(p.open())
	if err != nil {
		t.Fatal(err)
	}
	syncer := &pin.Syncer{Workspace: w, Options: s.options, Loader: p.loader}
	syncer.Extras = s.extras
	plans, err := syncer.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before = p.all()
	ctx := endingAt(t.Context(), n)
	defer ctx.stop(nil)
	err = syncer.Apply(ctx, plans, extract.StageOptions{})
	return p, before, ctx.left.Load() <= 0, err
}

// Whenever a run is stopped, the manifest, the lock file and the files are all as before,
// and there is an error; or all are as after a whole run, and there is none.
func TestStopped(t *testing.T) {
	t.Parallel()
	const another = "  - {name: another, job: tool, output: another}\n"
	same := func(w pin.Workspace) (pin.Workspace, error) { return w, nil }
	remove := func(source string) func(pin.Workspace) (pin.Workspace, error) {
		return func(w pin.Workspace) (pin.Workspace, error) { return w.Remove([]string{source}) }
	}
	for name, s := range map[string]stopped{
		"update": {twoSources, nil, pin.Options{Update: true}, same},
		"prune":  {twoSources, []string{"lib/extra"}, pin.Options{}, same},
		"add": {twoSources, nil, pin.Options{Only: []string{"new"}}, func(w pin.Workspace) (pin.Workspace, error) {
			return w.Add(manifest.Source{Name: "new", Query: manifest.Query{Job: "tool", Output: "new"}})
		}},
		"remove":                   {twoSources, nil, pin.Options{Only: []string{"tool"}}, remove("tool")},
		"remove what isn't locked": {twoSources + another, nil, pin.Options{Only: []string{"another"}}, remove("another")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, before, _, err := s.at(t, 0)
			after := p.all()
			if err != nil || maps.Equal(before, after) {
				t.Fatalf("%v; there is %v", err, after)
			}
			for n := int64(1); ; n++ {
				p, want, ended, err := s.at(t, n)
				if err == nil {
					want = after
				} else if !errors.Is(err, errStop) {
					t.Errorf("at %d: %v", n, err)
				}
				if diff := cmp.Diff(want, p.all()); diff != "" {
					t.Errorf("at %d: %v: %s", n, err, diff)
				}
				if ended {
					continue
				}
				if n < 5 {
					t.Errorf("only %d moments", n)
				}
				return
			}
		})
	}
}
