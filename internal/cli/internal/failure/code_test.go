package failure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/internal/smallfile"
	"gitlab.com/artifetch/artifetch/resolve"
)

// The codes are an interface: this table is written out, not computed.
func TestExitCode(t *testing.T) {
	t.Parallel()
	network := &url.Error{Op: "Get", URL: "https://x", Err: &os.SyscallError{Syscall: "connect", Err: syscall.ECONNREFUSED}}
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"unknown", errors.New("x"), 1},
		{"usage", Usage("x", ""), 2},
		{"library's usage", cli.Exit("no help topic", 3), 2},
		{"environment", &env.UsageError{Name: "X", Reason: "y"}, 2},
		{"no job", &resolve.NotFoundError{}, 3},
		{"no job, said by the server", &resolve.NotFoundError{Err: &gitlab.Error{StatusCode: 404}}, 3},
		{"no default branch", &resolve.DefaultBranchError{}, 3},
		{"the default branch is closed", &resolve.DefaultBranchError{Err: &gitlab.Error{StatusCode: 404}}, 5},
		{"in none of several refs", &resolve.RefsError{Err: &resolve.NotFoundError{}}, 3},
		{"no archive", &resolve.NoArchiveError{Err: &gitlab.Error{StatusCode: 404}}, 4},
		{"401", &gitlab.Error{StatusCode: 401}, 5},
		{"403 explained", &resolve.RefusedError{Err: &gitlab.Error{StatusCode: 403}}, 5},
		{"403 of the storage", &gitlab.Error{StatusCode: 403, FromStorage: true}, 6},
		{"503", &gitlab.Error{StatusCode: 503}, 6},
		{"429", &gitlab.Error{StatusCode: 429}, 6},
		{"a job that the token cannot list", &pin.LockError{Reason: pin.UnknownJob}, 5},
		{"an archive that is not the locked one", fmt.Errorf("x: %w", &pin.LockError{Reason: pin.Replaced, Err: fetch.ErrChanged}), 7},
		{"not locked, and no requests", &pin.LockError{Reason: pin.NoRequests}, 7},
		{"connection refused", network, 6},
		{"deadline", fmt.Errorf("x: %w", ErrDeadline), 6},
		{"archive changed", fmt.Errorf("x: %w", fetch.ErrChanged), 7},
		{"archive is not what the server says", fmt.Errorf("x: %w", &fetch.DigestError{}), 7},
		{"broken off", fmt.Errorf("x: %w", &fetch.BrokenError{Err: io.ErrUnexpectedEOF}), 6},
		{"not what was asked for", &fetch.AnswerError{}, 6},
		{"malformed glob", &extract.PatternError{}, 2},
		{"corrupt", &extract.CorruptError{}, 7},
		{"no archive format", &extract.NotArchiveError{}, 7},
		{"unsafe", &extract.UnsafeError{}, 8},
		{"limit", &extract.LimitError{}, 8},
		{"format that cannot be unpacked", &extract.UnsupportedError{}, 8},
		{"format that cannot be listed", fmt.Errorf("x: %w", &extract.NotZipError{}), 8},
		{"disk full", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, 9},
		{"rename", &os.LinkError{Op: "rename", Err: syscall.EACCES}, 9},
		{"no socket", &url.Error{Err: &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}}, 9},
		{"quota", &fs.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}, 9},
		{"file too large", syscall.EFBIG, 9},
		{"stale", &os.LinkError{Op: "rename", Err: syscall.ESTALE}, 9},
		{"not put back", &extract.RescueError{Err: errors.New("x")}, 9},
		{"not put back, interrupted", &extract.RescueError{Err: Signal{os.Interrupt}}, 130},
		{"small file", &smallfile.TooLargeError{}, 2},
		{"conflict", &extract.ConflictError{}, 9},
		{"a name that this system cannot have", &extract.UnfitError{}, 9},
		{"no match", &extract.NoMatchError{}, 10},
		{"409", &gitlab.Error{StatusCode: 409}, 12},
		{"terminal closed", fmt.Errorf("%w (%w)", Signal{syscall.SIGHUP}, network), 129},
		{"interrupted", fmt.Errorf("%w (%w)", Signal{os.Interrupt}, context.Canceled), 130},
		{"terminated", fmt.Errorf("%w (%w)", Signal{syscall.SIGTERM}, network), 143},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := int(Of(fmt.Errorf("wrapped: %w", tt.err))); got != tt.want {
				t.Errorf("exit code = %d, want %d", got, tt.want)
			}
		})
	}
}
