package filelock_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/filelock"
)

// holding is the variable with the file that this process locks, in place of its tests.
const holding = "ARTIFETCH_TEST_HOLDS"

func TestMain(m *testing.M) {
	path := os.Getenv(holding)
	if path == "" {
		os.Exit(m.Run())
	}
	if _, err := filelock.Take(path, os.O_CREATE); err != nil {
		os.Exit(1)
	}
	_, _ = os.Stdout.WriteString("held\n")
	select {}
}

// The lock of a process that is killed is free, though its file is still there.
func TestKilledHolder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	holder := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this test
	holder.Env = append(os.Environ(), holding+"="+path)
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := filelock.Take(path, os.O_CREATE); !errors.Is(err, filelock.ErrHeld) {
		t.Errorf("%v", err)
	}
	told := 0
	held, err := filelock.Wait(t.Context(), path, func() {
		told++
		if err := holder.Process.Kill(); err != nil {
			t.Error(err)
		}
	})
	if err != nil || told != 1 {
		t.Fatalf("%v, told %d times", err, told)
	}
	_ = holder.Wait() // it was killed
	held.Remove(path)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// Those that wait take turns, also if the holder removes the file.
func TestWait(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	held, err := filelock.Wait(t.Context(), path, func() { t.Error("it waits") })
	if err != nil {
		t.Fatal(err)
	}
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	if _, err := filelock.Wait(ctx, path, func() { cancel(why) }); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
	next, err := filelock.Wait(t.Context(), path, func() { held.Remove(path) })
	if err != nil || !next.Holds(path) {
		t.Fatalf("%v", err)
	}
	if _, err := filelock.Take(path, 0); !errors.Is(err, filelock.ErrHeld) {
		t.Errorf("two hold it: %v", err)
	}
	next.Release()
	if _, err := filelock.Wait(t.Context(), filepath.Join(path, "below"), func() {}); err == nil {
		t.Error("no error")
	}
}

// On a file system without locks, no lock file stays, not even that of an earlier run.
// What isn't a file does.
func TestNoLocks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	unlockable := func(path string, _ int) (*filelock.Lock, error) {
		err := os.WriteFile(path, nil, 0o600)
		if err == nil {
			err = &os.PathError{Op: "lock", Path: path, Err: errors.ErrUnsupported}
		}
		return nil, err
	}
	if _, err := filelock.WaitBy(t.Context(), path, func() { t.Error("it waits") }, unlockable); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := filelock.WaitBy(t.Context(), path, func() {}, unlockable); err == nil {
		t.Error("no error")
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
}
