package ctxio_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"gitlab.com/artifetch/artifetch/internal/ctxio"
)

var errStop = errors.New("stop")

// Readers pass on everything, in pieces of any size, and errors too.
func TestReaders(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("0123456789", 20_000) // more than one buffer
	for name, wrap := range map[string]func(context.Context, io.Reader) io.Reader{"Abandon": ctxio.Abandon, "Reader": ctxio.Reader} {
		if err := iotest.TestReader(wrap(t.Context(), strings.NewReader(content)), []byte(content)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := io.ReadAll(wrap(t.Context(), iotest.HalfReader(iotest.TimeoutReader(strings.NewReader(content))))); !errors.Is(err, iotest.ErrTimeout) || !strings.HasPrefix(content, string(got)) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errStop)
	if n, err := ctxio.Reader(ctx, strings.NewReader(content)).Read(make([]byte, 8)); n != 0 || !errors.Is(err, errStop) {
		t.Errorf("read %d bytes after the context has ended: %v", n, err)
	}
}

// A read that blocks forever is abandoned with the cause of the context, and what
// comes after that doesn't reach the caller's buffer.
func TestAbandon(t *testing.T) {
	t.Parallel()
	from, to := io.Pipe()
	ctx, cancel := context.WithCancelCause(t.Context())
	r := ctxio.Abandon(ctx, from)
	buf := make([]byte, 4)
	failed := make(chan error)
	go func() {
		_, err := r.Read(buf)
		failed <- err
	}()
	cancel(errStop)
	if err := <-failed; !errors.Is(err, errStop) {
		t.Errorf("read: %v", err)
	}
	if _, err := to.Write([]byte("late")); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(buf, make([]byte, 4)) {
		t.Errorf("the abandoned read wrote %q", buf)
	}
}

// Await returns what the function returns, or the cause of the context.
func TestAwait(t *testing.T) {
	t.Parallel()
	if got, err := ctxio.Await(t.Context(), func() (int, error) { return 7, errStop }); got != 7 || !errors.Is(err, errStop) {
		t.Errorf("%d, %v", got, err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errStop)
	release := make(chan struct{})
	defer close(release)
	if got, err := ctxio.Await(ctx, func() (int, error) { <-release; return 7, nil }); got != 0 || !errors.Is(err, errStop) {
		t.Errorf("%d, %v", got, err)
	}
}
