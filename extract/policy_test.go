package extract_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gitlab.com/artifetch/artifetch/extract"
)

// A link that points outside is refused, skipped or created, depending on the policy.
// Nothing is ever written through it.
func TestSymlinkPolicies(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	archive := pack(t, file("f", "x"), link("good", "f"), link("up", "../.."), link("abs", outside))
	unsafe := new(*extract.UnsafeError)
	for policy, want := range map[extract.SymlinkPolicy]string{
		extract.SafeLinks: "",
		extract.SkipLinks: "f good",
		extract.AllLinks:  "abs f good up",
	} {
		out := t.TempDir()
		var mu sync.Mutex
		skipped := map[string]bool{}
		o := extract.StageOptions{Symlinks: policy, OnSkip: func(name, _ string) {
			mu.Lock()
			defer mu.Unlock()
			skipped[name] = true
		}}
		err := unpackWith(t, archive, out, o)
		if refused := asType(err, unsafe); refused != (policy == extract.SafeLinks) || err != nil && !refused {
			t.Errorf("policy %d: %v", policy, err)
		}
		if got := strings.Join(names(t, out), " "); got != want {
			t.Errorf("policy %d: %s, want %s", policy, got, want)
		}
		if policy == extract.SkipLinks && (!skipped["up"] || !skipped["abs"] || skipped["good"]) {
			t.Errorf("skipped %v", skipped)
		}
	}
	out := t.TempDir()
	if err := unpackWith(t, archive, out, extract.StageOptions{Symlinks: extract.AllLinks}); err != nil {
		t.Fatal(err)
	}
	if err := unpackWith(t, pack(t, file("abs/planted", "x")), out, extract.StageOptions{Symlinks: extract.AllLinks}); err == nil {
		t.Error("a second archive was written through the first one's link")
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("outside: %v, %v", left, err)
	}
}

// Some link targets are refused under every policy.
func TestLinksWithoutSense(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"", "a\x00b", strings.Repeat("a", 4096)} {
		out := filepath.Join(t.TempDir(), "out")
		err := unpackWith(t, pack(t, link("l", target)), out, extract.StageOptions{Symlinks: extract.AllLinks})
		if _, ok := errors.AsType[*extract.UnsafeError](err); !ok {
			t.Errorf("%.9q: %v", target, err)
		}
	}
}

// unpackWith is unpack with options of the stage.
func unpackWith(t *testing.T, archive []byte, dir string, o extract.StageOptions) error {
	t.Helper()
	stage, err := extract.NewStage(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stage.Discard(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := stage.Add(t.Context(), source(archive), extract.Options{}); err != nil {
		return err
	}
	return stage.Commit(t.Context())
}
