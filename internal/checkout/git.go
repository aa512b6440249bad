package checkout

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// patience is the time limit for git, which only reads its configuration.
const patience = 2 * time.Second

// maxSaid limits how much of git's output is read, in bytes.
const maxSaid = 64 << 10

// remote is a remote of the checkout.
type remote struct{ name, url string }

// remotes asks git, which handles worktrees, included files and insteadOf. It returns
// none if git isn't installed, or if dir isn't in a checkout that git trusts. git remote
// doesn't run commands from a repository's configuration.
func remotes(ctx context.Context, dir string) []remote {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	git, found := program("git")
	if !found {
		return nil
	}
	said, err := output(ctx, git, "git", "-C", dir, "remote", "-v")
	if err != nil {
		return nil
	}
	return read(said)
}

// program finds a program in PATH. It ignores entries relative to the current directory:
// a checkout may contain a program with that name.
func program(name string) (path string, found bool) {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if filepath.IsAbs(dir) && err == nil && info.Mode().IsRegular() && (runtime.GOOS == "windows" || info.Mode()&0o111 != 0) {
			return path, true
		}
	}
	return "", false
}

// output returns a program's output, and an error if it fails or ctx ends. Package
// os/exec would add 80 kB to the program.
func output(ctx context.Context, path string, args ...string) (string, error) {
	out, in, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer func() { _ = out.Close() }() // only read; closed twice, if all goes well
	nothing, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return "", errors.Join(err, in.Close())
	}
	p, err := os.StartProcess(path, args, &os.ProcAttr{Env: append(os.Environ(), "LC_ALL=C"), Files: []*os.File{nothing, in, nothing}})
	if err = errors.Join(err, in.Close(), nothing.Close()); err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, func() {
		_ = p.Kill()                        // it may have ended
		_ = out.SetReadDeadline(time.Now()) // its children may keep running
	})
	defer stop()
	said, err := io.ReadAll(io.LimitReader(out, maxSaid))
	_ = out.Close() // ends a program with more output
	state, waited := p.Wait()
	if err = errors.Join(err, waited, ctx.Err()); err == nil && !state.Success() {
		err = errors.New(state.String())
	}
	return string(said), err
}

// read parses lines such as "origin\thttps://host/path.git (fetch)".
func read(said string) (all []remote) {
	for line := range strings.Lines(said) {
		name, rest, _ := strings.Cut(line, "\t")
		if end := strings.LastIndex(rest, " (fetch)"); end > 0 {
			all = append(all, remote{name, rest[:end]})
		}
	}
	return all
}
