package gitlabtest_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

const shopReports = "/projects/5/jobs/5002/artifacts"

// member is a member of a gzip report.
type member struct{ name, comment, content string }

func members(t *testing.T, report string) []member {
	t.Helper()
	source := strings.NewReader(report)
	r, err := gzip.NewReader(source)
	if err != nil {
		t.Fatal(err)
	}
	var all []member
	for {
		r.Multistream(false)
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, member{r.Name, r.Comment, string(content)})
		if err := r.Reset(source); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestReports requests ?file_type= in each format: gzip with one member per file, whose
// comment is its path (helpers/archives/gzip_create.go of GitLab Runner), raw, and zip.
func TestReports(t *testing.T) {
	t.Parallel()
	for _, mode := range []gitlabtest.Mode{gitlabtest.ModeDisk, gitlabtest.ModeProxy, gitlabtest.ModeRedirect} {
		s := start(t, gitlabtest.Options{Mode: mode})
		get := func(kind string) answer {
			got := ask(t, s.APIURL+shopReports+"?file_type="+kind, credentials["private"]...)
			if got.status == 302 {
				got = ask(t, got.header.Get("Location"))
			}
			return got
		}
		junit := get("junit")
		if got, want := members(t, junit.body), []member{
			{"unit.xml", "reports/unit.xml", "<testsuites name=\"unit\"/>\n"},
			{"e:pr%C3%BCfung%20100%25.xml", "e:reports%2Fpr%C3%BCfung%20100%25.xml", "<testsuites name=\"prüfung\"/>\n"},
		}; len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("%s, junit: %q", mode, got)
		}
		if got := get("sast"); got.body != "{\"vulnerabilities\":[]}\n" {
			t.Errorf("%s, sast: %q", mode, got.body)
		}
		lsif := get("lsif").body
		if archive, err := zip.NewReader(bytes.NewReader([]byte(lsif)), int64(len(lsif))); err != nil || len(archive.File) != 2 || archive.File[1].Name != "docs/index.json" {
			t.Errorf("%s, lsif: %v", mode, err)
		}
		if got, whole := get("archive"), ask(t, s.APIURL+shopReports, credentials["private"]...); mode == gitlabtest.ModeDisk && got.body != whole.body {
			t.Errorf("%s, archive: %d bytes, without the parameter %d", mode, len(got.body), len(whole.body))
		}
	}
	// From disk, a report has its own name and digest, and supports ranges.
	s := start(t, gitlabtest.Options{})
	got := ask(t, s.APIURL+shopReports+"?file_type=junit", append([]string{"Range", "bytes=0-1"}, credentials["private"]...)...)
	whole := ask(t, s.APIURL+shopReports+"?file_type=junit", credentials["private"]...)
	sum := sha256.Sum256([]byte(whole.body))
	if got.status != 206 || got.body != "\x1f\x8b" || got.header.Get("ETag") != `"`+hex.EncodeToString(sum[:])+`"` ||
		!strings.Contains(got.header.Get("Content-Disposition"), `filename="junit.xml.gz"`) {
		t.Errorf("from disk: %d %q %v", got.status, got.body, got.header)
	}
}

// The order of the checks: the type, then the job by its archive's level, then the
// report's own level, if it has one: gitlab!252518.
func TestReportAccess(t *testing.T) {
	t.Parallel()
	world := gitlabtest.Fixture()
	world.Projects[4].Visibility = gitlabtest.Public
	for _, role := range []string{"guest", "developer", "maintainer"} {
		world.Tokens = append(world.Tokens, &gitlabtest.Token{Value: role, Kind: gitlabtest.KindPrivate, Roles: map[int64]string{5: role}})
	}
	world.Projects[4].Pipelines[0].Jobs = append(world.Projects[4].Pipelines[0].Jobs,
		&gitlabtest.Job{ID: 5003, Name: "closed", Access: "maintainer", Files: []gitlabtest.File{{Name: "a"}}, Artifacts: []*gitlabtest.Artifact{{Type: "junit", Access: "public"}}},
		&gitlabtest.Job{ID: 5004, Name: "no archive", Access: "developer", Reports: []string{"junit"}},
		&gitlabtest.Job{ID: 5005, Name: "erased", Access: "maintainer", Erased: true, Files: []gitlabtest.File{{Name: "a"}}, Reports: []string{"junit"}},
	)
	s := gitlabtest.Start(world, gitlabtest.Options{})
	t.Cleanup(s.Close)
	for path, want := range map[string][]int{ // anonymous, guest, developer, maintainer, job token
		"5002/artifacts?file_type=junit":                   {200, 200, 200, 200, 200},
		"5002/artifacts?file_type=dotenv":                  {403, 403, 200, 200, 200},
		"5002/artifacts?file_type=codequality":             {403, 403, 403, 200, 403},
		"5002/artifacts?file_type=cobertura":               {403, 403, 403, 403, 403},
		"5002/artifacts?file_type=dast":                    {404, 404, 404, 404, 404}, // the job has no such report
		"5002/artifacts?file_type=terraform":               {400, 400, 400, 400, 400}, // it has one, but it isn't downloadable
		"5002/artifacts?file_type=metadata":                {400, 400, 400, 400, 400},
		"5002/artifacts?file_type=":                        {400, 400, 400, 400, 400},
		"9999/artifacts?file_type=junit":                   {404, 404, 404, 404, 404},
		"5003/artifacts?file_type=junit":                   {403, 403, 403, 200, 403}, // the archive's level comes first
		"5003/artifacts?file_type=sast":                    {403, 403, 403, 404, 403},
		"5004/artifacts?file_type=junit":                   {403, 403, 200, 200, 200}, // without an archive, only the report's level counts
		"5004/artifacts":                                   {404, 404, 404, 404, 404},
		"5005/artifacts?file_type=junit":                   {404, 404, 404, 404, 404},
		"artifacts/main/download?job=test&file_type=junit": {404, 404, 404, 404, 404}, // ignored by ref, and the job has no archive
	} {
		for i, header := range [][]string{nil, {"PRIVATE-TOKEN", "guest"}, {"PRIVATE-TOKEN", "developer"}, {"PRIVATE-TOKEN", "maintainer"}, shopJob} {
			if got := ask(t, s.APIURL+"/projects/5/jobs/"+path, header...); got.status != want[i] {
				t.Errorf("%s, caller %d: %d, want %d: %.100s", path, i, got.status, want[i], got.body)
			}
		}
	}
	// By ref and on the runner's route, the parameter is ignored.
	archive := ask(t, s.APIURL+"/projects/1/jobs/1001/artifacts", credentials["job"]...).body
	for _, path := range []string{"projects/1/jobs/artifacts/main/download?job=build&file_type=junit", "jobs/1001/artifacts?file_type=nonsense"} {
		if got := ask(t, s.APIURL+"/"+path, credentials["job"]...); got.status != 200 || got.body != archive {
			t.Errorf("%s: %d, %d bytes", path, got.status, len(got.body))
		}
	}
}

// Older servers ignore the parameter and send the archive.
func TestReportsBefore(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"19.3", "18.5", "17.0"} {
		s := start(t, gitlabtest.Options{Version: version})
		archive := ask(t, s.APIURL+shopReports, credentials["private"]...)
		for _, kind := range []string{"junit", "dotenv", "cobertura", "terraform", "nonsense", "dast"} {
			if got := ask(t, s.APIURL+shopReports+"?file_type="+kind, credentials["private"]...); got.status != 200 || got.body != archive.body {
				t.Errorf("%s, %s: %d, %d bytes", version, kind, got.status, len(got.body))
			}
		}
		if got := ask(t, s.APIURL+"/projects/1/jobs/1009/artifacts?file_type=junit", credentials["private"]...); got.status != 404 {
			t.Errorf("%s, no archive: %d", version, got.status)
		}
	}
}

// A running job's reports aren't uploaded yet, and an erased job's are deleted.
func TestReportLife(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{})
	address := s.APIURL + "/projects/5/jobs/5701/artifacts?file_type=junit"
	s.Update(func(w *gitlabtest.World) {
		job, _, _ := w.Job(5701)
		job.Status, job.FinishAfter, job.Reports = "", 2, []string{"junit"}
	})
	for i, want := range []int{404, 404, 200} {
		if got := ask(t, address, credentials["private"]...); got.status != want {
			t.Errorf("look %d: %d, want %d", i, got.status, want)
		}
	}
	s.Update(func(w *gitlabtest.World) {
		job, _, _ := w.Job(5701)
		job.RemoveFiles()
	})
	if got := ask(t, address, credentials["private"]...); got.status != 404 {
		t.Errorf("removed: %d", got.status)
	}
}
