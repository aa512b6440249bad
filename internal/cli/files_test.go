package cli_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/cli"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// largeArchive has a few files of interest among megabytes of others.
func largeArchive() []byte {
	noise := make([]byte, 24<<20)
	_, _ = rand.NewChaCha8([32]byte{3}).Read(noise) // never fails
	return gitlabtest.Zip(
		gitlabtest.File{Name: "dist/app", Content: "app\n", Mode: 0o755},
		gitlabtest.File{Name: "dist/link", Link: "app"},
		gitlabtest.File{Name: "dist/sub/conf", Content: "conf\n", Mode: 0o640},
		gitlabtest.File{Name: "noise", Content: string(noise), Store: true},
		gitlabtest.File{Name: "report.xml", Content: "<report/>\n"},
	)
}

// Without ranges, a few files of a large archive are downloaded one by one if the server
// lists what they are; otherwise, the whole archive is. The files are the same in both
// cases.
func TestFewFilesWithoutRanges(t *testing.T) {
	t.Parallel()
	archive := largeArchive()
	tests := []struct {
		name    string
		version string
		mode    gitlabtest.Mode
		args    []string
		want    map[string]string // path → mode and content
		whole   bool
	}{
		{"two files", "19.2", gitlabtest.ModeNoRanges, []string{"dist/app", "report.xml"}, map[string]string{"dist/app": "-rwxr-xr-x app\n", "report.xml": "-rw-r--r-- <report/>\n"}, false},
		{"without a length", "19.2", gitlabtest.ModeNoLength, []string{"./dist/sub/conf", "dist/sub/conf"}, map[string]string{"dist/sub/conf": "-rw-r----- conf\n"}, false},
		{"placed elsewhere", "19.2", gitlabtest.ModeNoRanges, []string{"dist/sub/conf", "--strip-components", "1"}, map[string]string{"sub/conf": "-rw-r----- conf\n"}, false},
		{"with ranges they come by range", "19.2", gitlabtest.ModeDisk, []string{"dist/app", "report.xml"}, map[string]string{"dist/app": "-rwxr-xr-x app\n", "report.xml": "-rw-r--r-- <report/>\n"}, false},
		{"a directory", "19.2", gitlabtest.ModeNoRanges, []string{"dist/sub"}, map[string]string{"dist/sub/conf": "-rw-r----- conf\n"}, true},
		{"a link", "19.2", gitlabtest.ModeNoRanges, []string{"dist/app", "dist/link"}, map[string]string{"dist/app": "-rwxr-xr-x app\n", "dist/link": "Lrwxrwxrwx app"}, true},
		{"a glob", "19.2", gitlabtest.ModeNoRanges, []string{"*.xml"}, map[string]string{"report.xml": "-rw-r--r-- <report/>\n"}, true},
		{"an old server", "18.7", gitlabtest.ModeNoRanges, []string{"report.xml"}, map[string]string{"report.xml": "-rw-r--r-- <report/>\n"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			world := gitlabtest.Fixture()
			world.Projects[0].Pipelines[1].Jobs[0].Archive = archive
			s := gitlabtest.Start(world, gitlabtest.Options{Version: tt.version, Mode: tt.mode})
			t.Cleanup(s.Close)
			dir, token := t.TempDir(), cli.TokenFile(t, gitlabtest.PrivateToken)
			args := slices.Concat([]string{"artifetch", "fetch", "--server-url", s.URL, "--token-file", token, "-R", "1", "--job-id", "1001", "-o", dir}, tt.args)
			var said bytes.Buffer
			if code := command(t, args, cli.IO{Out: &said, Err: &said}); code != 0 {
				t.Fatalf("code %d: %s", code, said.String())
			}
			got := map[string]string{}
			for name := range tt.want {
				got[name] = describe(t, filepath.Join(dir, name))
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			var largest int64
			for _, r := range s.Requests() {
				if strings.HasSuffix(r.Path, "/artifacts") && r.Status == 200 {
					largest = max(largest, r.BytesSent)
				}
			}
			if whole := largest == int64(len(archive)); whole != tt.whole {
				t.Errorf("the whole archive came: %v, want %v", whole, tt.whole)
			}
		})
	}
}

// describe returns a file's mode, and its content or target.
func describe(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		return err.Error()
	}
	content, err := os.ReadFile(path)
	if info.Mode()&os.ModeSymlink != 0 {
		var target string
		target, err = os.Readlink(path)
		content = []byte(target)
	}
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().String() + " " + string(content)
}

// Two small files of 2,000 in 200 MB cost at most six requests and 600 kB.
func TestSelectionCost(t *testing.T) {
	t.Parallel()
	archive := filepath.Join(t.TempDir(), "a.zip")
	f, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	z, zeros := zip.NewWriter(f), make([]byte, 100_000)
	for i := range 2000 {
		e, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("some/directory/file-%04d.bin", i), Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	world := gitlabtest.Fixture()
	world.Projects[0].Pipelines[1].Jobs[0].Archive = nil
	world.Projects[0].Pipelines[1].Jobs[0].ArchiveFile = archive
	s := gitlabtest.Start(world, gitlabtest.Options{Mode: gitlabtest.ModeRedirect})
	t.Cleanup(s.Close)
	token, dir := cli.TokenFile(t, gitlabtest.PrivateToken), t.TempDir()
	args := []string{"artifetch", "fetch", "--server-url", s.URL, "--token-file", token, "-R", "1", "--job-id", "1001", "-o", dir, "some/directory/file-0007.bin", "**/file-1990.bin"}
	var said bytes.Buffer
	if code := command(t, args, cli.IO{Out: &said, Err: &said}); code != 0 {
		t.Fatalf("code %d: %s", code, said.String())
	}
	requests, sent := 0, int64(0)
	for _, r := range s.Requests() {
		requests++
		sent += r.BytesSent
	}
	if requests > 6 || sent > 600_000 {
		t.Errorf("%d requests, %d bytes", requests, sent)
	}
	t.Logf("%d requests, %d bytes", requests, sent)
}

// Listing a large archive costs little, even without ranges, if the server can list it;
// otherwise, the whole archive is downloaded.
func TestLookWithoutRanges(t *testing.T) {
	t.Parallel()
	archive := largeArchive()
	tests := []struct {
		name, version, args, want string
		whole                     bool
	}{
		{"list", "19.2", "ls", "dist/\ndist/app\ndist/link\ndist/sub/\ndist/sub/conf\nnoise\nreport.xml\n", false},
		{"list of an old server", "18.7", "ls", "dist/app\ndist/link\ndist/sub/conf\nnoise\nreport.xml\n", true},
		{"a file", "19.2", "cat dist/app", "app\n", false},
		{"a link", "19.2", "cat dist/link", "app\n", true},
		{"a file of an old server", "18.7", "cat dist/app", "app\n", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			world := gitlabtest.Fixture()
			world.Projects[0].Pipelines[1].Jobs[0].Archive = archive
			s := gitlabtest.Start(world, gitlabtest.Options{Version: tt.version, Mode: gitlabtest.ModeNoRanges})
			t.Cleanup(s.Close)
			token := cli.TokenFile(t, gitlabtest.PrivateToken)
			args := append([]string{"artifetch", "--server-url", s.URL, "--token-file", token}, strings.Fields(tt.args)...)
			var out, said bytes.Buffer
			if code := command(t, append(args, "-R", "1", "--job-id", "1001"), cli.IO{Out: &out, Err: &said}); code != 0 || out.String() != tt.want {
				t.Errorf("code %d, printed %q: %s", code, &out, &said)
			}
			whole := 0
			for _, r := range s.Requests() {
				if r.BytesSent > 20<<20 {
					whole++
				}
			}
			if (whole > 0) != tt.whole {
				t.Errorf("the whole archive came %d times", whole)
			}
		})
	}
}
