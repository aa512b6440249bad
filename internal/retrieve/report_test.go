package retrieve_test

import (
	"bytes"
	"cmp"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Reports whose content doesn't match their type, and edge cases.
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
		{"dast", "gl-dast-report.json", nil}, // as uploaded by the job
		{"junit", "", new(*extract.NotArchiveError)},
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

// withoutQuery is a proxy that drops the query string.
type withoutQuery struct{ http.RoundTripper }

func (w withoutQuery) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/artifacts") {
		r = r.Clone(r.Context())
		r.URL.RawQuery = ""
	}
	return w.RoundTripper.RoundTrip(r)
}

// An archive in place of a report is detected, whatever its size, the report's format and
// the kind of download: by the listed size, the format, or what the archive's own address
// serves. If the server's version supports reports, something in between is to blame.
func TestArchiveInPlaceOfAReport(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 5<<18)
	for i := range noise {
		noise[i] = byte(i * i >> 7)
	}
	small := gitlabtest.Zip(gitlabtest.File{Name: "inner.txt", Content: "x"})
	large := gitlabtest.Zip(gitlabtest.File{Name: "large.bin", Content: string(noise)})
	reports := []*gitlabtest.Artifact{
		{Type: "junit", Content: []byte("\x1f\x8b")}, {Type: "sast", Content: []byte("{}")}, {Type: "lsif", Content: small},
		{Type: "dast", Content: bytes.Repeat([]byte("["), len(small))}, // as long as the archive
	}
	for _, mode := range []gitlabtest.Mode{gitlabtest.ModeRedirect, gitlabtest.ModeDisk, gitlabtest.ModeNoRanges} {
		for _, version := range []string{"18.5", "", "19.4"} {
			for _, report := range reports {
				for _, archive := range [][]byte{small, large} {
					switch same := len(report.Content) == len(archive); {
					case same && (version == "19.4" || report.Type == "lsif" || mode == gitlabtest.ModeNoRanges):
						continue // nothing tells them apart
					case len(archive) == len(large) && report.Type != "sast":
						continue // as with the small one
					}
					world := gitlabtest.Fixture()
					job, _, _ := world.Job(1009)
					job.Archive, job.Reports, job.Artifacts = archive, nil, reports
					i := start(t, world, gitlabtest.Options{Mode: mode, Version: cmp.Or(version, "18.5"), Faults: []gitlabtest.Fault{{Kind: "404", On: "/metadata"}, {Kind: "404", On: "/version"}}}, gitlabtest.PrivateToken)
					i.Version, i.HTTP.Transport = version, withoutQuery{i.HTTP.Transport}
					i.refusesReport(t, report.Type, version)
				}
			}
		}
	}
}

// refusesReport requests a report in two ways, gets the archive, and expects no files.
func (i instance) refusesReport(t *testing.T, kind, version string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	file, err := retrieve.ParseArchive(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	for _, into := range []retrieve.Output{{Dir: dir}, file} {
		_, err := i.retriever().Run(t.Context(), retrieve.Options{Query: resolve.Query{Project: "1", JobID: 1009, Reports: []string{kind}}, Output: into})
		old, isOld := errors.AsType[*retrieve.OldServerError](err)
		if _, statErr := os.Stat(dir); err == nil || statErr == nil || isOld != (version != "19.4") || isOld && old.Version != version {
			t.Errorf("%s, version %q: %v, %v", kind, version, err, statErr)
		}
	}
}

// Something that is neither the report nor an archive is detected by its size.
func TestAnotherFileInPlaceOfAReport(t *testing.T) {
	t.Parallel()
	for _, mode := range []gitlabtest.Mode{gitlabtest.ModeRedirect, gitlabtest.ModeNoRanges} {
		world := gitlabtest.Fixture()
		job, _, _ := world.Job(1009)
		job.Archive, job.Reports, job.Artifacts = []byte(`{"other":1}`), nil, []*gitlabtest.Artifact{{Type: "sast", Content: []byte("{}")}}
		i := start(t, world, gitlabtest.Options{Mode: mode}, gitlabtest.PrivateToken)
		i.HTTP.Transport = withoutQuery{i.HTTP.Transport}
		dir := filepath.Join(t.TempDir(), "out")
		_, err := i.retriever().Run(t.Context(), retrieve.Options{Query: resolve.Query{Project: "1", JobID: 1009, Reports: []string{"sast"}}, Output: retrieve.Output{Dir: dir}})
		wrong, ok := errors.AsType[*fetch.SizeError](err)
		if _, statErr := os.Stat(dir); !ok || *wrong != (fetch.SizeError{Listed: 2, Sent: 11}) || statErr == nil {
			t.Errorf("%s: %v, %v", mode, err, statErr)
		}
	}
}
