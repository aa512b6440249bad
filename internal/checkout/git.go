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

// patience is how long git may take. It only reads its configuration.
const patience = 2 * time.Second

// maxSaid is how much of what git says is read, in bytes.
const maxSaid = 64 << 10

// remote is one that git has.
type remote struct{ name, url string }

// remotes asks git, which knows worktrees, included files and insteadOf. There are none
// if there is no git, or no checkout that git would touch. git remote runs no command that
// a repository's configuration could name.
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

// program finds a program in PATH. Entries that depend on the current directory don't
// count: a checkout may hold a program of that name.
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

// output returns what a program prints, and an error if it fails or ctx ends. Package
// os/exec would add 80 kB to the program for this.
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
		_ = out.SetReadDeadline(time.Now()) // what it has started may go on
	})
	defer stop()
	said, err := io.ReadAll(io.LimitReader(out, maxSaid))
	_ = out.Close() // ends a program that says more
	state, waited := p.Wait()
	if err = errors.Join(err, waited, ctx.Err()); err == nil && !state.Success() {
		err = errors.New(state.String())
	}
	return string(said), err
}

// read reads lines such as "origin\thttps://host/path.git (fetch)".
func read(said string) (all []remote) {
	for line := range strings.Lines(said) {
		name, rest, _ := strings.Cut(line, "\t")
		if end := strings.LastIndex(rest, " (fetch)"); end > 0 {
			all = append(all, remote{name, rest[:end]})
		}
	}
	return all
}
