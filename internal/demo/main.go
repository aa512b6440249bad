// Command demo shows the main job: it starts the simulated GitLab on loopback,
// sets the variables that GitLab sets in a job, runs the real program against
// it, and lists the files that arrived. At a terminal, GitLab stays until Enter is
// pressed, so that the commands can be pasted into another terminal.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

func main() {
	var stay io.Reader
	if term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd())) {
		stay = os.Stdin
	}
	if err := run(context.Background(), os.Stdout, stay, build); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// build builds the program.
func build(ctx context.Context, out io.Writer, program string) error {
	if err := command(ctx, out, nil, "go", "build", "-o", program, "."); err != nil {
		return fmt.Errorf("building the program: %w", err)
	}
	return nil
}

// run shows the demo. If stay isn't nil, it then waits for a line from there.
func run(ctx context.Context, out io.Writer, stay io.Reader, build func(ctx context.Context, out io.Writer, program string) error) error {
	dir, err := os.MkdirTemp("", "artifetch-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary directory
	program := filepath.Join(dir, "bin", "artifetch")
	if err := os.Mkdir(filepath.Dir(program), 0o700); err != nil {
		return err
	}
	if err := build(ctx, out, program); err != nil {
		return err
	}
	gitlab := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{Mode: gitlabtest.ModeRedirect})
	defer gitlab.Close()
	workspace := filepath.Join(dir, "workspace")
	job := []string{
		"GITLAB_CI=true", "CI=true",
		"CI_SERVER_URL=" + gitlab.URL, "CI_API_V4_URL=" + gitlab.APIURL,
		"CI_JOB_TOKEN=" + gitlabtest.JobToken,
		"CI_PROJECT_ID=1", "CI_PROJECT_PATH=group/app", "CI_PROJECT_DIR=" + workspace,
		"CI_COMMIT_REF_NAME=main",
	}
	fmt.Fprintf(out, "simulated GitLab at %s, its object storage at %s\n\n", gitlab.URL, gitlab.StorageURL)
	fmt.Fprintf(out, "$ export PATH=\"%s:$PATH\"\n$ export %s\n", filepath.Dir(program), strings.Join(job, " "))
	for _, args := range []string{
		"fetch --ref main --job build",
		"fetch -R group/sub/lib -r release/2.x -j package dist/ 'lib/**/*.so' -x '**/*.map' -o " + filepath.Join(workspace, "vendor", "lib"),
	} {
		fmt.Fprintf(out, "$ artifetch %s\n", args)
		if err := command(ctx, out, job, program, strings.Fields(strings.ReplaceAll(args, "'", ""))...); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\n$ find %s\n", workspace)
	if err := list(out, workspace); err != nil || stay == nil {
		return err
	}
	fmt.Fprint(out, "\nYou can paste these commands into another terminal. GitLab stays until you press Enter. ")
	_, _ = bufio.NewReader(stay).ReadString('\n') // or until the terminal is closed
	return nil
}

// command runs a program with the variables of the job in place of those of
// this process that would tell it otherwise.
func command(ctx context.Context, out io.Writer, vars []string, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Stdout, c.Stderr = out, out
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "CI_") && !strings.HasPrefix(v, "GITLAB_") && !strings.HasPrefix(v, "ARTIFETCH_") {
			c.Env = append(c.Env, v)
		}
	}
	c.Env = append(c.Env, vars...)
	return c.Run()
}

func list(out io.Writer, root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if target, err := os.Readlink(path); err == nil {
			name += " -> " + target
		}
		fmt.Fprintf(out, "%s %8d  %s  %s\n", info.Mode(), info.Size(), info.ModTime().UTC().Format("2006-01-02 15:04:05"), filepath.ToSlash(name))
		return nil
	})
}
