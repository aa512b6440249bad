package retrieve_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Reports whose bytes aren't what their type promises, and those at the edges.
func TestOddReports(t *testing.T) {
	t.Parallel()
	zip := gitlabtest.Zip(gitlabtest.File{Name: "inner.txt", Content: "x"})
	reports := []*gitlabtest.Artifact{
		{Type: "sast", Content: []byte{}},
		{Type: "dast", Content: zip},
		{Type: "junit", Content: zip},
		{Type: "cobertura", Content: []byte("<html>Sign in</html>")},
		{Type: "codequality", Content: []byte("<!DOCTYPE html><p>Sign in")},
		{Type: "metrics", Content: []byte("\x1f\x8b")},
		{Type: "lsif", Content: []byte("PK\x03\x04 cut off")},
		{Type: "accessibility", Name: "dir/evil.json", Content: []byte("{}")},
	}
	for _, tt := range []struct {
		kind, file string
		want       any
	}{
		{"sast", "gl-sast-report.json", nil},
		{"dast", "gl-dast-report.json", nil}, // as the job has uploaded it
		{"junit", "", new(*extract.CorruptError)},
		{"cobertura", "", new(*extract.NotArchiveError)},
		{"codequality", "", new(*extract.NotArchiveError)},
		{"metrics", "", new(*extract.CorruptError)},
		{"lsif", "", new(*extract.CorruptError)},
		{"accessibility", "evil.json", nil},
		{"jacoco", "", new(*resolve.NoArchiveError)},
	} {
		for _, mode := range []gitlabtest.Mode{gitlabtest.ModeRedirect, gitlabtest.ModeNoRanges} {
			world := gitlabtest.Fixture()
			job, _, _ := world.Job(1009)
			job.Reports, job.Artifacts = nil, reports
			i := start(t, world, gitlabtest.Options{Mode: mode}, gitlabtest.PrivateToken)
			dir := filepath.Join(t.TempDir(), "out")
			_, err := i.retriever().Run(t.Context(), retrieve.Options{
				Query: resolve.Query{Project: "1", JobID: 1009, Reports: []string{tt.kind}}, Output: retrieve.Output{Dir: dir},
			})
			if tt.want != nil {
				if _, missing := os.Stat(dir); !errors.As(err, tt.want) || missing == nil {
					t.Errorf("%s, %s: %v (%T)", tt.kind, mode, err, err)
				}
				continue
			}
			got, readErr := os.ReadFile(filepath.Join(dir, tt.file))
			if err != nil || readErr != nil || !bytes.Equal(got, job.Report(tt.kind).Bytes()) {
				t.Errorf("%s, %s: %v, %v", tt.kind, mode, err, readErr)
			}
		}
	}
}
