package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/cli"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// run runs a command on a world, with its owner's private token.
func run(t *testing.T, world *gitlabtest.World, o gitlabtest.Options, args ...string) (code int, out, said string) {
	t.Helper()
	s := gitlabtest.Start(world, o)
	defer s.Close()
	token := cli.TokenFile(t, gitlabtest.PrivateToken)
	var stdout, stderr bytes.Buffer
	all := slices.Concat([]string{"artifetch", args[0], "--server-url", s.URL, "--token-file", token, "-R", "1"}, args[1:])
	code = command(t, all, cli.IO{Out: &stdout, Err: &stderr})
	return code, stdout.String(), stderr.String()
}

// worldWith is the fixture with another job in the running pipeline 120, and in the child
// pipeline 101 of a successful one.
func worldWith(job gitlabtest.Job) *gitlabtest.World {
	w := gitlabtest.Fixture()
	p := w.Projects[0]
	child := job
	child.ID++
	p.Pipelines[3].Jobs = append(p.Pipelines[3].Jobs, &job)
	p.Pipelines[1].Bridges[0].Child.Jobs = append(p.Pipelines[1].Bridges[0].Child.Jobs, &child)
	return w
}

func TestWait(t *testing.T) {
	t.Parallel()
	archive := gitlabtest.Zip(gitlabtest.File{Name: "job.txt", Content: "slow\n"})
	tests := []struct {
		name  string
		job   gitlabtest.Job
		token gitlabtest.Options
		args  string
		code  int
		said  string
	}{
		{"until it has finished", gitlabtest.Job{Status: "running", Archive: archive, FinishAfter: 2}, gitlabtest.Options{}, "--pipeline 120 --wait 1m", 0, "trying again in "},
		{"in a child of a pipeline that has succeeded", gitlabtest.Job{Status: "running", Archive: archive, FinishAfter: 2}, gitlabtest.Options{}, "--ref main --wait 1m", 0, "trying again in "},
		{"by its id", gitlabtest.Job{Status: "running", Archive: archive, FinishAfter: 2}, gitlabtest.Options{}, "--job-id 5000 --wait 1m", 0, "trying again in "},
		{"not for an id that is not there", gitlabtest.Job{Status: "running"}, gitlabtest.Options{}, "--job-id 9999 --wait 1m", 3, "no job 9999"},
		{"not longer than allowed", gitlabtest.Job{Status: "pending", Archive: archive, FinishAfter: 99}, gitlabtest.Options{}, "--pipeline 120 --wait 100ms", 11, "waited 100ms"},
		{"not for a job that has failed", gitlabtest.Job{Status: "running", Archive: archive, FinishAfter: 2, FinishAs: "failed"}, gitlabtest.Options{}, "--pipeline 120 --wait 1m", 4, "/jobs/5000"},
		{"not for a job without artifacts", gitlabtest.Job{Status: "success"}, gitlabtest.Options{}, "--pipeline 120 --wait 1m", 4, "no artifacts archive"},
		{"a failed one with its artifacts", gitlabtest.Job{Status: "failed", Archive: archive}, gitlabtest.Options{}, "--pipeline 120 --any-status", 0, "✓ slow #5000 (failed) · main "},
		{"no waiting without --wait", gitlabtest.Job{Status: "running", Archive: archive, FinishAfter: 2}, gitlabtest.Options{}, "--pipeline 120", 4, "--wait DURATION"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.job.ID, tt.job.Name = 5000, "slow"
			dir := t.TempDir()
			args := slices.Concat([]string{"fetch", "-o", dir}, strings.Fields(tt.args))
			if !strings.Contains(tt.args, "--job-id") {
				args = append(args, "--job", "slow")
			}
			code, _, said := run(t, worldWith(tt.job), tt.token, args...)
			if code != tt.code || !strings.Contains(said, tt.said) {
				t.Errorf("code %d, want %d and %q:\n%s", code, tt.code, tt.said, said)
			}
			if _, err := os.Stat(filepath.Join(dir, "job.txt")); (err == nil) != (code == 0) {
				t.Errorf("job.txt: %v", err)
			}
		})
	}
}
