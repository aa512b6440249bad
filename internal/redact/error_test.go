package redact_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

func TestError(t *testing.T) {
	t.Parallel()
	signed := &url.Error{Op: "Get", URL: "https://s3/b?X-Amz-Signature=hunter2", Err: context.DeadlineExceeded}
	relative := &url.Error{Op: "parse", URL: "/b c\n?token=hunter2%zz", Err: io.ErrUnexpectedEOF}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"bare", signed, `Get "https://s3/b?X-Amz-Signature=REDACTED": context deadline exceeded`},
		{"wrapped", fmt.Errorf("archive: %w", signed), `archive: Get "https://s3/b?X-Amz-Signature=REDACTED": context deadline exceeded`},
		{"relative and malformed", relative, `parse "/b c\n?REDACTED": unexpected EOF`},
		{
			"joined", errors.Join(io.EOF, signed, relative),
			"EOF\nGet \"https://s3/b?X-Amz-Signature=REDACTED\": context deadline exceeded\nparse \"/b c\\n?REDACTED\": unexpected EOF",
		},
		{"address in a text", errors.New("redirected to http://u:p@h/?q=hunter2"), "redirected to http://h/?q=REDACTED"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := redact.Error(tt.err)
			if got.Error() != tt.want {
				t.Errorf("Error()\n got %q\nwant %q", got, tt.want)
			}
			if !errors.Is(got, tt.err) {
				t.Error("the original error is lost")
			}
			if strings.Contains(got.Error(), "hunter2") {
				t.Error("the secret is still there")
			}
		})
	}
}

func TestErrorKeepsWhatItNeedNotChange(t *testing.T) {
	t.Parallel()
	if got := redact.Error(nil); got != nil {
		t.Errorf("Error(nil) = %v", got)
	}
	plain := &url.Error{Op: "Get", URL: "https://h/a?job=b", Err: io.EOF}
	if got := redact.Error(plain); got != error(plain) { //nolint:errorlint // identity is the point
		t.Errorf("Error() = %v, want the same error", got)
	}
}

func TestErrorUnwraps(t *testing.T) {
	t.Parallel()
	err := redact.Error(&url.Error{Op: "Get", URL: "https://h/?s=1", Err: context.DeadlineExceeded})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error("errors.Is does not see the cause")
	}
	if netErr, ok := errors.AsType[net.Error](err); !ok || !netErr.Timeout() {
		t.Error("errors.As does not see the timeout")
	}
}
