package cli_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// The statement in a real runner's archive matches the job that it describes.
func TestVerifyProvenance(t *testing.T) {
	t.Parallel()
	archive, err := os.ReadFile("../../testdata/samples/runner-fastzip-metadata.zip")
	if err != nil {
		t.Fatal(err)
	}
	const commit = "0ff3ae198f8601a285adcf5c0fff204ee6fba5fd"
	tests := []struct {
		name      string
		project   string // its path
		commit    string
		jobID     int64
		job, args string
		code      int
		said      string
	}{
		{"all as expected", "g/p", commit, 1, "build", "-R g/p --ref main --job build", 0, "50 files, "},
		{"some files", "g/p", commit, 1, "build", "-R g/p --ref main --job build report.xml", 0, "1 file, "},
		{"by id", "g/p", commit, 1, "build", "-R g/p --job-id 1", 0, "50 files, "},
		{"another commit", "g/p", strings.Repeat("0", 40), 1, "build", "-R g/p --ref main --job build", 7, "its commit is"},
		{"another job id", "g/p", commit, 2, "build", "-R g/p --job-id 2", 7, "its job id is"},
		{"another job", "g/p", commit, 1, "test", "-R g/p --ref main --job test", 7, "its job is"},
		{"another project", "g/other", commit, 1, "build", "-R g/other --ref main --job build", 7, "its project is"},
	}
	for _, tt := range tests {
		world := gitlabtest.Fixture()
		world.Projects = []*gitlabtest.Project{{ID: 1, Path: tt.project, Visibility: gitlabtest.Private, Pipelines: []*gitlabtest.Pipeline{
			{ID: 9, Ref: "main", SHA: tt.commit, Status: "success", Jobs: []*gitlabtest.Job{{ID: tt.jobID, Name: tt.job, Archive: archive}}},
		}}}
		out := filepath.Join(t.TempDir(), "out")
		args := append([]string{"fetch", "-o", out, "--verify-provenance"}, strings.Fields(tt.args)...)
		code, _, said := run(t, world, gitlabtest.Options{}, args...)
		if code != tt.code || !strings.Contains(said, tt.said) {
			t.Errorf("%s: code %d, want %d and %q: %s", tt.name, code, tt.code, tt.said, said)
		}
		if _, err := os.Stat(out); (err == nil) != (code == 0) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	code, _, said := run(t, gitlabtest.Fixture(), gitlabtest.Options{}, "fetch", "-o", t.TempDir(), "--verify-provenance", "--job-id", "1001")
	if code != 7 || !strings.Contains(said, "the archive has no provenance statement\n") || !strings.Contains(said, "RUNNER_GENERATE_ARTIFACTS_METADATA") {
		t.Errorf("no statement: code %d, %s", code, said)
	}
}

// A given digest is always checked, however the archive is downloaded; otherwise, the
// server's digest is, if it sends one.
func TestSHA256(t *testing.T) {
	t.Parallel()
	archive := largeArchive()
	digest := fmt.Sprintf("%x", sha256.Sum256(archive))
	for _, mode := range []gitlabtest.Mode{gitlabtest.ModeDisk, gitlabtest.ModeRedirect, gitlabtest.ModeNoRanges, gitlabtest.ModeNoLength} {
		for want, code := range map[string]int{digest: 0, strings.ToUpper(digest): 0, strings.Repeat("ab", 32): 7, "abc": 2} {
			world := gitlabtest.Fixture()
			world.Projects[0].Pipelines[1].Jobs[0].Archive = archive
			out := filepath.Join(t.TempDir(), "out")
			got, _, said := run(t, world, gitlabtest.Options{Mode: mode}, "fetch", "-o", out, "--sha256", want, "--job-id", "1001", "dist/app")
			if got != code {
				t.Errorf("%s, %.8s…: code %d, want %d: %s", mode, want, got, code, said)
			}
			if _, err := os.Stat(filepath.Join(out, "dist/app")); (err == nil) != (code == 0) {
				t.Errorf("%s, %.8s…: %v", mode, want, err)
			}
		}
	}
	if code, _, said := run(t, gitlabtest.Fixture(), gitlabtest.Options{}, "fetch", "-o", t.TempDir(), "--sha256", digest, "--pipeline", "100", "--job", "test *"); code != 2 || !strings.Contains(said, "the SHA-256 is for one archive") {
		t.Errorf("several jobs: code %d, %s", code, said)
	}
}
