package network

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// What the runner itself uploads comes back as it was. GitLab's own program isn't
// installed in CI; where it is, it has the last word on what archives look like.
func TestRunnerUploads(t *testing.T) {
	t.Parallel()
	helper, err := exec.LookPath("gitlab-runner-helper")
	if err != nil {
		t.Skip("gitlab-runner-helper is not installed")
	}
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{Mode: gitlabtest.ModeRedirect})
	t.Cleanup(s.Close)
	const running = 1401 // the job of the token
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "to")
	want := map[string]string{"dist/app": strings.Repeat("app", 9000), "dist/größe.txt": "x", "empty": ""}
	for name, content := range want {
		path := filepath.Join(from, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	upload := exec.CommandContext(t.Context(), helper, "artifacts-uploader", "--url", s.URL+"/", "--token", gitlabtest.JobToken, "--id", strconv.Itoa(running),
		"--path", "dist", "--path", "empty", "--artifact-format", "zip", "--artifact-type", "archive")
	upload.Dir = from
	if out, err := upload.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	fetch := exec.CommandContext(t.Context(), "artifetch", "fetch", "--server-url", s.URL, "-R", "1", "--job-id", strconv.Itoa(running), "-o", to)
	fetch.Env = append(os.Environ(), "GITLAB_TOKEN="+gitlabtest.PrivateToken)
	if out, err := fetch.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, content := range want {
		if got, err := os.ReadFile(filepath.Join(to, filepath.FromSlash(name))); err != nil || string(got) != content {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
