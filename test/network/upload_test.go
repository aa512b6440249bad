package network

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// Archives that GitLab Runner created, uploaded as its helper does it, arrive unchanged.
func TestRunnerUploads(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob(filepath.Join(harness.Root, "testdata/samples/runner-*.zip"))
	if err != nil || len(archives) < 4 {
		t.Fatalf("%q, %v", archives, err)
	}
	for _, archive := range archives {
		t.Run(filepath.Base(archive), func(t *testing.T) {
			t.Parallel()
			s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{Mode: gitlabtest.ModeRedirect})
			t.Cleanup(s.Close)
			content, err := os.ReadFile(archive)
			if err != nil {
				t.Fatal(err)
			}
			uploadArchive(t, s.APIURL+"/jobs/1401/artifacts", content) // 1401 is the token's job
			to := t.TempDir()
			fetchUploaded(t, s, to)
			compareFiles(t, content, to)
		})
	}
}

// What the runner's own helper creates and uploads arrives unchanged. It isn't a package of
// Debian, so only a machine that has it runs this.
func TestRunnerHelper(t *testing.T) {
	t.Parallel()
	helper, err := exec.LookPath("gitlab-runner-helper")
	if err != nil {
		t.Skip("gitlab-runner-helper isn't installed")
	}
	project, to := t.TempDir(), t.TempDir()
	content := map[string]string{"dist/app": "program", "dist/a b/ä.txt": "text", "empty": ""}
	for name, text := range content {
		file := filepath.Join(project, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{Mode: gitlabtest.ModeRedirect})
	t.Cleanup(s.Close)
	upload := exec.CommandContext(t.Context(), helper, "artifacts-uploader", "--url", s.URL+"/", "--token", gitlabtest.JobToken, "--id", "1401",
		"--path", "dist", "--path", "empty", "--artifact-format", "zip", "--artifact-type", "archive")
	upload.Dir = project
	if out, err := upload.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	fetchUploaded(t, s, to)
	for name, text := range content {
		if got, err := os.ReadFile(filepath.Join(to, name)); err != nil || string(got) != text {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// fetchUploaded fetches the archive of the job that the token belongs to.
func fetchUploaded(t *testing.T, s *gitlabtest.Running, to string) {
	t.Helper()
	fetch := exec.CommandContext(t.Context(), "artifetch", "fetch", "--server-url", s.URL, "-R", "1", "--job-id", "1401", "-o", to)
	fetch.Env = append(os.Environ(), "GITLAB_TOKEN="+gitlabtest.PrivateToken)
	if out, err := fetch.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// uploadArchive sends the same request as the runner's helper (network/gitlab.go).
func uploadArchive(t *testing.T, address string, archive []byte) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "artifacts.zip")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(archive); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"?artifact_format=zip&artifact_type=archive", &body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Job-Token", gitlabtest.JobToken)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		t.Fatalf("upload: %s", answer.Status)
	}
}

// compareFiles compares every file of an archive with the one in a directory.
func compareFiles(t *testing.T, archive []byte, dir string) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		info, err := os.Lstat(path)
		switch {
		case err != nil:
			t.Error(err)
		case strings.HasSuffix(f.Name, "/"):
			if !info.IsDir() {
				t.Errorf("%s isn't a directory", f.Name)
			}
		default:
			got := fileContent(t, path, info)
			if in, err := f.Open(); err != nil {
				t.Error(err)
			} else if want, err := io.ReadAll(in); err != nil || got != string(want) {
				t.Errorf("%s: %.40q, want %.40q, %v", f.Name, got, want, err)
			}
		}
	}
}

// fileContent returns what a file contains, or where a symbolic link points.
func fileContent(t *testing.T, path string, info os.FileInfo) string {
	t.Helper()
	if info.Mode()&os.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		if err != nil {
			t.Error(err)
		}
		return target
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return string(content)
}
