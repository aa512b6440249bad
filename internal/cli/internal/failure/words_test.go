package failure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/jobs"
	"gitlab.com/artifetch/artifetch/internal/transport"
	"gitlab.com/artifetch/artifetch/resolve"
)

// said is an error whose text differs from its reason.
type said struct{ error }

func (*said) Error() string   { return "no x" }
func (s *said) Unwrap() error { return s.error }

// An error says what failed, then why, the request that was refused, and what to do next.
func TestReport(t *testing.T) {
	t.Parallel()
	refused := &gitlab.Error{Method: "GET", URL: "https://x/api/v4/job", StatusCode: 503, Message: "503 Service Unavailable - later", RequestID: "01ID"}
	dial := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(1, 2, 3, 4), Port: 443}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	lookup := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "x.example", Server: "8.8.8.8:53", IsNotFound: true}}
	reset := &net.OpError{Op: "read", Net: "tcp", Addr: dial.Addr, Source: dial.Addr, Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"what and what to do", Usage("--x is wrong", "leave it out; or use --y"), "artifetch: --x is wrong\n  leave it out; or use --y\n"},
		{"several reasons", errors.New(`no job "a; b" here (x; y); did you mean "c"?; look`), "artifetch: no job \"a; b\" here (x; y)\n  did you mean \"c\"?\n  look\n"},
		{"a refusal", refused, "artifetch: GitLab answers 503 Service Unavailable: later\n  GET https://x/api/v4/job\n  request id: 01ID\n"},
		{"a refusal within", &said{&gitlab.Error{StatusCode: 418, RequestID: "02ID"}}, "artifetch: no x\n  request id: 02ID\n"},
		{"no connection", &url.Error{Op: "Get", URL: "https://x/y?a=b", Err: dial}, "artifetch: GET https://x/y: cannot connect to 1.2.3.4:443: connection refused\n"},
		{"no such host", &url.Error{Op: "Post", URL: "https://x/y", Err: lookup}, "artifetch: POST https://x/y: cannot look up x.example: no such host\n"},
		{"no web address", &url.Error{Op: "Get", URL: "file:///x", Err: &transport.RedirectAddressError{From: "x.example", Scheme: "file"}}, "artifetch: x.example redirects to an address that starts with \"file:\" instead of \"https:\"\n  ask the operator of x.example to correct the address that it redirects to\n"},
		{"broken connection", fmt.Errorf("it ended: %w", reset), "artifetch: it ended: connection reset by peer\n"},
		{"file", &fs.PathError{Op: "open", Path: "a.zip", Err: syscall.ENOENT}, "artifetch: cannot open a.zip: no such file or directory\n"},
		{"file, by its directory", &fs.PathError{Op: "mkdirat", Path: "a", Err: syscall.EACCES}, "artifetch: cannot create a: permission denied\n  check the owner and permissions of the file and its directory, and attributes such as immutable (lsattr)\n"},
		{"file, after what it was for", fmt.Errorf("archive of a: %w", &fs.PathError{Op: "write", Path: "b", Err: syscall.EIO}), "artifetch: archive of a: cannot write b: input/output error\n  check the disk for failures (dmesg)\n"},
		{"output", &fs.PathError{Op: "write", Path: os.Stdout.Name(), Err: syscall.ENOSPC}, "artifetch: cannot write to standard output: no space left on device\n"},
		{"output, after what it was for", fmt.Errorf("archive of a: %w", &fs.PathError{Op: "write", Path: os.Stdout.Name(), Err: syscall.ENOSPC}), "artifetch: archive of a: cannot write to standard output: no space left on device\n"},
		{"signal", Signal{os.Interrupt}, "artifetch: interrupted\n"},
	} {
		var said bytes.Buffer
		Report(console.New(nil, nil, &said), tt.err, Flags{Names: []string{"x", "y"}})
		if said.String() != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, said.String(), tt.want)
		}
	}
	var said bytes.Buffer
	con := console.New(nil, nil, &said)
	con.SetColours(true)
	Report(con, errors.New("x"), Flags{})
	if want := "\x1b[31martifetch:\x1b[0m x\n"; said.String() != want {
		t.Errorf("%q, want %q", said.String(), want)
	}
}

// "Nothing was changed" is only printed by commands that do all or nothing, and only if it
// is true.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(Signal{os.Interrupt})
	aborted := fmt.Errorf("x: %w", context.Canceled)
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"a list", aborted, "interrupted"},
		{"a fetch", Unchanged(aborted), "interrupted; nothing was changed"},
		{"a full disk", Unchanged(syscall.ENOSPC), "interrupted; no space left on device"},
		{"some of several jobs", &jobs.SeveralError{What: "kept", Done: []resolve.Artifact{{JobID: 1}}, Left: []resolve.Artifact{{JobID: 2}}, Err: aborted}, "interrupted; not kept: job 2; kept: job 1; x: context canceled"},
		{"none of several jobs", &jobs.SeveralError{What: "kept", Left: []resolve.Artifact{{JobID: 1}, {JobID: 2}}, Err: aborted}, "interrupted"},
		{"files that weren't restored", Unchanged(&extract.RescueError{Dir: "d", Kept: nil, Err: aborted}), "interrupted; x: context canceled; cannot restore all files: "},
	} {
		if got := Stopped(ctx, tt.err).Error(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if Unchanged(nil) != nil || Stopped(ctx, nil) != nil {
		t.Error("what has succeeded is an error")
	}
}
