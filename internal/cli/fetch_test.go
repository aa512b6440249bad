package cli_test

import (
	"archive/tar"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// Listed and counted files are those in the workspace afterwards: no unpacked archives, no
// skipped files, and hard links as files.
func TestListIsWhatIsThere(t *testing.T) {
	t.Parallel()
	world := gitlabtest.Fixture()
	world.Projects[0].Pipelines[1].Jobs[0].Archive = gitlabtest.Zip(
		gitlabtest.File{Name: "a", Content: "12345"},
		gitlabtest.File{Name: "there", Content: "123"},
		gitlabtest.File{Name: "out", Link: "../x"},
		gitlabtest.File{Name: "in", Link: "a"},
		gitlabtest.File{Name: "p/in.tar", Content: tarred(t)},
		gitlabtest.File{Name: "p/none.zip", Content: "text"},
	)
	for _, tt := range []struct {
		flags, files, count, what string
	}{
		{"--unpack 1 -x out", "a 5, in -> a, p/b 2, p/hard 2, p/l -> b, p/none.zip 4, there 3", "5", "5 files, 2 links, 16 B"},
		{"--on-conflict skip -x out", "a 5, in -> a, p/in.tar 3072, p/none.zip 4", "3", "3 files, 1 link, 3.0 KiB"},
		{"--symlinks skip a out", "a 5", "1", "1 file, 5 B"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "there"), []byte("before"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, format := range []string{"json", "text"} {
			dotenv := filepath.Join(t.TempDir(), "env")
			if err := os.Mkdir(filepath.Join(dir, format), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Link(filepath.Join(dir, "there"), filepath.Join(dir, format, "there")); err != nil {
				t.Fatal(err)
			}
			code, out, said := run(t, world, gitlabtest.Options{}, slices.Concat([]string{"fetch", "--job-id", "1001", "-o", filepath.Join(dir, format), "--dotenv", dotenv, "--format", format}, strings.Fields(tt.flags))...)
			if code != 0 {
				t.Fatalf("code %d: %s", code, said)
			}
			if want := "✓ build #1001 · main @ 00000000 · " + tt.what + " → "; !strings.Contains(said, want) {
				t.Errorf("%s: no %s in %s", tt.flags, want, said)
			}
			if text, err := os.ReadFile(dotenv); err != nil || !strings.Contains(string(text), "ARTIFACT_FILES="+tt.count+"\n") {
				t.Errorf("%s: %v, %s", tt.flags, err, text)
			}
			if format == "json" {
				if got := listed(t, out); got != tt.files {
					t.Errorf("%s: listed:\n%s, want\n%s", tt.flags, got, tt.files)
				}
			}
			if got := arrived(t, filepath.Join(dir, format)); got != tt.files {
				t.Errorf("%s: there is:\n%s, want\n%s", tt.flags, got, tt.files)
			}
		}
	}
}

// tarred is a tar with a file, a symbolic and a hard link.
func tarred(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	w := tar.NewWriter(&b)
	for _, h := range []*tar.Header{{Name: "b", Size: 2, Mode: 0o644}, {Name: "l", Typeflag: tar.TypeSymlink, Linkname: "b"}, {Name: "hard", Typeflag: tar.TypeLink, Linkname: "b"}} {
		err := w.WriteHeader(h)
		if err == nil && h.Size > 0 {
			_, err = w.Write([]byte("xy"))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// listed returns the files of one archive, abbreviated.
func listed(t *testing.T, text string) string {
	t.Helper()
	var jobs []struct {
		Files []struct {
			Path   string
			Size   int64
			Target *string
		}
	}
	if err := json.Unmarshal([]byte(text), &jobs); err != nil || len(jobs) != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	var list []string
	for _, f := range jobs[0].Files {
		if f.Target != nil {
			list = append(list, f.Path+" -> "+*f.Target)
			continue
		}
		list = append(list, fmt.Sprintf("%s %d", f.Path, f.Size))
	}
	return strings.Join(list, ", ")
}

// arrived returns the same for a directory, except for the files that existed before.
func arrived(t *testing.T, dir string) string {
	t.Helper()
	var list []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if target, err := os.Readlink(filepath.Join(dir, path)); err == nil {
			list = append(list, path+" -> "+target)
			return nil
		}
		info, err := e.Info()
		if err == nil && info.Size() != int64(len("before")) {
			list = append(list, fmt.Sprintf("%s %d", path, info.Size()))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(list, ", ")
}

// Reports of one job are that job once, and a file that two of them have is one file.
func TestReportsOfOneJob(t *testing.T) {
	world := gitlabtest.Fixture()
	job, _, _ := world.Job(1001)
	files := []gitlabtest.File{{Name: "both", Content: "12345"}, {Name: "all", Content: "x"}}
	job.Artifacts = append(job.Artifacts, &gitlabtest.Artifact{Type: "junit", Files: files}, &gitlabtest.Artifact{Type: "cobertura", Files: files})
	dir := t.TempDir()
	for _, flags := range [][]string{nil, {"--unpack", "1"}} {
		code, _, said := run(t, world, gitlabtest.Options{Version: "19.4"}, append([]string{
			"fetch", "--job-id", "1001", "--report", "junit", "--report", "cobertura", "-o", filepath.Join(dir, "out"), "--dotenv", filepath.Join(dir, "env"),
		}, flags...)...)
		if code != 0 || !strings.Contains(said, "✓ 2 reports · 2 files, 6 B (") {
			t.Errorf("%q: code %d: %s", flags, code, said)
		}
		text, err := os.ReadFile(filepath.Join(dir, "env"))
		if err != nil || !strings.Contains(string(text), "ARTIFACT_JOB_ID=1001\n") || !strings.Contains(string(text), "ARTIFACT_STATUS=success\n") || !strings.Contains(string(text), "ARTIFACT_FILES=2,2\n") {
			t.Errorf("%v, %s", err, text)
		}
	}
}

// A dotenv report never replaces a file that was just fetched, nor fails after files were
// written because a directory is in its place.
func TestDotenvMeetsFiles(t *testing.T) {
	world := gitlabtest.Fixture()
	job, _, _ := world.Job(1001)
	job.Archive = gitlabtest.Zip(gitlabtest.File{Name: "b.env", Content: "12345"}, gitlabtest.File{Name: "dist/a", Content: "x"})
	for file, requests := range map[string]bool{"b.env": true, "dist": true, "dist/a": true, "dist/a/x.env": true, "f/": false, "f/g/": false} {
		dir := filepath.Join(t.TempDir(), "out")
		code, _, said := run(t, world, gitlabtest.Options{}, "fetch", "--job-id", "1001", "-o", dir, "--dotenv", dir+"/"+file)
		if hint := strings.Contains(said, "choose another file for --dotenv"); code != 9 || requests != hint || strings.Contains(said, "✓") || !requests && !strings.Contains(said, "is a directory") {
			t.Errorf("%s: code %d: %s", file, code, said)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s: %v", file, err)
		}
	}
	// --archive writes a file, too.
	file := filepath.Join(t.TempDir(), "x")
	if code, _, said := run(t, world, gitlabtest.Options{}, "fetch", "--job-id", "1001", "--archive", file, "--dotenv", file); code != 9 {
		t.Errorf("code %d: %s", code, said)
	}
}

// A first manifest names the pipeline of the ref, and is YAML.
func TestSyncInit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.yml")
	code, _, said := run(t, gitlabtest.Fixture(), gitlabtest.Options{}, "sync", "init", "-r", "main", "-f", file)
	text, err := os.ReadFile(file)
	if code != 0 || err != nil || !strings.Contains(string(text), "# The jobs of pipeline 100 and its child pipelines that have artifacts") {
		t.Errorf("code %d, %v: %s\n%s", code, err, said, text)
	}
	file = filepath.Join(t.TempDir(), "a.JSON")
	code, _, said = run(t, gitlabtest.Fixture(), gitlabtest.Options{}, "sync", "init", "-f", file)
	if _, err := os.Stat(file); code != 2 || !strings.Contains(said, "sync init writes YAML") || !os.IsNotExist(err) {
		t.Errorf("code %d, %v: %s", code, err, said)
	}
}
