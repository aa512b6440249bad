package retrieve_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/internal/digest"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
)

// A local archive is extracted from a file or from standard input, all or nothing.
func TestLocal(t *testing.T) {
	t.Parallel()
	archive := gitlabtest.Zip(gitlabtest.File{Name: "a", Content: "1"}, gitlabtest.File{Name: "b", Content: "2"})
	sum, err := digest.Sum(t.Context(), bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "x.zip")
	if err := os.WriteFile(name, archive, 0o600); err != nil {
		t.Fatal(err)
	}
	zipped := filepath.Join(t.TempDir(), "log.txt.gz")
	if err := os.WriteFile(zipped, gitlabtest.Gzipped(gitlabtest.File{Content: "line\n"}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		local retrieve.Local
		want  string
		fails func(error) bool
	}{
		{"a file", retrieve.Local{Name: name}, "a b", nil},
		{"standard input", retrieve.Local{Name: "-", Stdin: bytes.NewReader(archive)}, "a b", nil},
		{"one of its files", retrieve.Local{Name: name, Extract: taking("b")}, "b", nil},
		{"with its digest", retrieve.Local{Name: name, Checks: retrieve.Checks{SHA256: sum}}, "a b", nil},
		{"a compressed file", retrieve.Local{Name: zipped}, "log.txt", nil},
		{"another digest", retrieve.Local{Name: name, Checks: retrieve.Checks{SHA256: strings.Repeat("0", 64)}}, "", isA[*fetch.DigestError]},
		{"no statement", retrieve.Local{Name: name, Checks: retrieve.Checks{Provenance: true}}, "", isA[*extract.ProvenanceError]},
		{"nothing matches", retrieve.Local{Name: name, Extract: taking("c")}, "", isA[*extract.NoMatchError]},
		{"no archive", retrieve.Local{Name: "-", Stdin: strings.NewReader("<html>")}, "", func(err error) bool {
			e, ok := errors.AsType[*extract.NotArchiveError](err)
			return ok && e.Local // it isn't what a server has answered
		}},
		{"no such file", retrieve.Local{Name: name + "x"}, "", func(err error) bool { return errors.Is(err, fs.ErrNotExist) }},
	} {
		tt.local.Dir = filepath.Join(t.TempDir(), "out")
		stats, err := tt.local.Run(t.Context())
		if tt.fails == nil && (err != nil || stats.Files != len(strings.Fields(tt.want))) || tt.fails != nil && !tt.fails(err) {
			t.Errorf("%s: %+v, %v", tt.name, stats, err)
		}
		if got := tree(t, tt.local.Dir); got != tt.want {
			t.Errorf("%s: there is %q", tt.name, got)
		}
		if _, err := os.Stat(tt.local.Dir); tt.fails != nil && err == nil {
			t.Errorf("%s: the directory was made, and is still there", tt.name)
		}
	}
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// Existing files that are kept don't count as extracted; nested archives count with their
// contents.
func TestLocalCountsWhatArrives(t *testing.T) {
	t.Parallel()
	inner := string(gitlabtest.Zip(gitlabtest.File{Name: "x", Content: "1"}, gitlabtest.File{Name: "y", Content: "22"}))
	archive := gitlabtest.Zip(gitlabtest.File{Name: "a", Content: "333"}, gitlabtest.File{Name: "b", Content: "4444"}, gitlabtest.File{Name: "in.zip", Content: inner})
	for _, tt := range []struct {
		name  string
		there []string
		stage extract.StageOptions
		take  extract.Options
		files int
		bytes int64
	}{
		{"all", nil, extract.StageOptions{}, taking("a", "b"), 2, 7},
		{"replaced", []string{"a"}, extract.StageOptions{}, taking("a", "b"), 2, 7},
		{"one is kept", []string{"a"}, extract.StageOptions{OnConflict: extract.SkipExisting}, taking("a", "b"), 1, 4},
		{"both are kept", []string{"a", "b"}, extract.StageOptions{OnConflict: extract.SkipExisting}, taking("a", "b"), 0, 0},
		{"unpacked", nil, extract.StageOptions{}, extract.Options{Unpack: 1}, 4, 10},
	} {
		dir := t.TempDir()
		for _, name := range tt.there {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		stats, err := retrieve.Local{Name: "-", Stdin: bytes.NewReader(archive), Dir: dir, Stage: tt.stage, Extract: tt.take}.Run(t.Context())
		if err != nil || stats.Files != tt.files || stats.Bytes != tt.bytes {
			t.Errorf("%s: %+v, %v; want %d files, %d bytes", tt.name, stats, err, tt.files, tt.bytes)
		}
	}
}

// The end of the run also ends waiting for standard input.
func TestLocalBlockedInput(t *testing.T) {
	t.Parallel()
	in, _ := io.Pipe()
	errStop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	dir := filepath.Join(t.TempDir(), "out")
	ended := make(chan error)
	go func() {
		_, err := retrieve.Local{Name: "-", Stdin: in, Dir: dir}.Run(ctx)
		ended <- err
	}()
	cancel(errStop)
	if err := <-ended; !errors.Is(err, errStop) || tree(t, dir) != "" {
		t.Errorf("%v, there is %q", err, tree(t, dir))
	}
}
