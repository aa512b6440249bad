package harness

import (
	"bytes"
	"context"
	"net"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// Daemon is a server that a test runs as a process.
type Daemon struct {
	t    *testing.T
	cmd  *exec.Cmd
	out  bytes.Buffer
	done chan struct{}
}

// Begin starts a server. It ends with the test.
func Begin(t *testing.T, name string, args ...string) *Daemon {
	t.Helper()
	d := &Daemon{t: t, cmd: exec.CommandContext(context.WithoutCancel(t.Context()), name, args...), done: make(chan struct{})}
	d.cmd.Stdout, d.cmd.Stderr = &d.out, &d.out
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = d.cmd.Wait() // ended by a signal, or its output says why
		close(d.done)
	}()
	t.Cleanup(func() { d.Stop(syscall.SIGTERM) })
	return d
}

// Await waits until the server is ready, and returns false if it ends or takes too long.
func (d *Daemon) Await(ready func() bool) bool {
	for range 2000 {
		if ready() {
			return true
		}
		select {
		case <-d.done:
			return false
		case <-time.After(5 * time.Millisecond):
		}
	}
	return false
}

// Stop sends a signal, and waits until the server has ended.
func (d *Daemon) Stop(by syscall.Signal) {
	_ = d.cmd.Process.Signal(by) // it may have ended
	select {
	case <-d.done:
	case <-time.After(30 * time.Second):
		_ = d.cmd.Process.Kill()
		<-d.done
		d.t.Errorf("%s doesn't end", d.cmd.Path)
	}
}

// Output stops the server, and returns what it has printed.
func (d *Daemon) Output() string {
	d.Stop(syscall.SIGTERM)
	return d.out.String()
}

// FreeAddress returns a port that nothing uses at the moment.
func FreeAddress(t *testing.T, host string) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close() // no connection was accepted
	return l.Addr().String()
}
