package cli_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// The cost of a transfer includes the attempts that were abandoned because the archive
// changed.
func TestTransferredOverAllAttempts(t *testing.T) {
	t.Parallel()
	faults := []gitlabtest.Fault{{Kind: "reset-body", On: "storage", Times: 1, After: 300}, {Kind: "changed", On: "storage", Times: 1}}
	for _, flag := range []string{"--no-progress", "--cache-dir=" + t.TempDir()} {
		o := gitlabtest.Options{Mode: gitlabtest.ModeRedirect, Faults: faults}
		code, out, said := run(t, gitlabtest.Fixture(), o, "fetch", flag, "--job-id", "1001", "-o", filepath.Join(t.TempDir(), "out"), "--format", "json")
		var rows []struct{ Size, Transferred, Requests int64 }
		if err := json.Unmarshal([]byte(out), &rows); code != 0 || err != nil || len(rows) != 1 {
			t.Fatalf("%d, %v: %s", code, err, said)
		}
		if r := rows[0]; r.Transferred != r.Size+300 || r.Requests != 3 || !strings.Contains(said, "starting again") {
			t.Errorf("%s: transferred %d of %d in %d requests: %s", flag, r.Transferred, r.Size, r.Requests, said)
		}
	}
}

// If --deadline ends a run, that isn't reported as damage, wherever it reads: the exit
// code is that of a server error, so that the run can be retried.
func TestDeadlineIsNoDamage(t *testing.T) {
	t.Parallel()
	// Larger than what is kept in memory, and incompressible. Every response stalls after
	// its first MiB.
	world := gitlabtest.Fixture()
	world.Projects[0].Pipelines[1].Jobs[0].Archive = gitlabtest.Zip(gitlabtest.File{Name: "large", Content: incompressible(20 << 20)})
	for _, mode := range []gitlabtest.Mode{gitlabtest.ModeDisk, gitlabtest.ModeRedirect, gitlabtest.ModeNoRanges} {
		for _, command := range []string{"cat", "fetch"} {
			o := gitlabtest.Options{Mode: mode, Faults: []gitlabtest.Fault{{Kind: "stall-body", On: "/artifacts", After: 1 << 20}}}
			args := []string{command, "--job-id", "1001", "--deadline", "400ms", "-o", filepath.Join(t.TempDir(), "out")}
			if command == "cat" {
				args = append(args, "large")
			}
			code, _, said := run(t, world, o, args...)
			if code != 6 || !strings.Contains(said, "--deadline") || strings.Contains(said, "corrupt") {
				t.Errorf("%s, %s: code %d: %s", mode, command, code, said)
			}
		}
	}
}

// incompressible returns n bytes that don't compress, without any header of an archive.
func incompressible(n int) string {
	b := make([]byte, n)
	for x, i := uint32(1), 0; i < n; i++ {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return string(b)
}
