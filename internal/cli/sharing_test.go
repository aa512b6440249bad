package cli_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/cli"
	"gitlab.com/artifetch/artifetch/internal/filelock"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// stopper ends a run when it prints a certain message.
type stopper struct {
	said bytes.Buffer
	at   string
	stop func()
}

// Write implements [io.Writer].
func (s *stopper) Write(p []byte) (int, error) {
	n, err := s.said.Write(p)
	if strings.Contains(s.said.String(), s.at) {
		s.stop()
	}
	return n, err
}

// A run that waits for another one to download the archive says so, and a signal ends it.
func TestWaitsForAnotherRun(t *testing.T) {
	t.Parallel()
	gitlab := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	t.Cleanup(gitlab.Close)
	dir := t.TempDir()
	token, refs := cli.TokenFile(t, gitlabtest.PrivateToken), filepath.Join(dir, "cache", "refs")
	if err := os.MkdirAll(refs, 0o700); err != nil {
		t.Fatal(err)
	}
	address := sha256.Sum256([]byte(gitlab.APIURL + "/projects/1/jobs/1001/artifacts"))
	held, err := filelock.Take(filepath.Join(refs, fmt.Sprintf("%x.lock", address)), os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	ctx, stop := context.WithCancelCause(t.Context())
	said := &stopper{at: "waiting", stop: func() { stop(cli.Signal{Signal: os.Interrupt}) }}
	cli.OneAtATime.Lock()
	defer cli.OneAtATime.Unlock()
	code := cli.Run(ctx, []string{"artifetch", "--server-url", gitlab.URL, "--token-file", token, "fetch", "-R", "1", "--job-id", "1001", "-o", filepath.Join(dir, "out"), "--cache-dir", filepath.Join(dir, "cache")}, cli.IO{In: strings.NewReader(""), Out: io.Discard, Err: said})
	if code != 130 || !strings.Contains(said.said.String(), "waiting for the archive of job 1001, which is already being downloaded into the cache\n") {
		t.Errorf("code %d: %s", code, said.said.String())
	}
}
