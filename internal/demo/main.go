// Command demo shows the main job: it starts the simulated GitLab on loopback,
// sets the variables that GitLab sets in a job, runs the real program against
// it, and lists the files that arrived.
package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "artifetch-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary directory
	program := filepath.Join(dir, "artifetch")
	if err := command(ctx, out, nil, "go", "build", "-o", program, "."); err != nil {
		return fmt.Errorf("building the program: %w", err)
	}
	gitlab := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{Mode: gitlabtest.ModeRedirect})
	defer gitlab.Close()
	fmt.Fprintf(out, "simulated GitLab at %s, its object storage at %s\n\n", gitlab.URL, gitlab.StorageURL)

	workspace := filepath.Join(dir, "workspace")
	job := []string{
		"GITLAB_CI=true", "CI=true",
		"CI_SERVER_URL=" + gitlab.URL, "CI_API_V4_URL=" + gitlab.APIURL,
		"CI_JOB_TOKEN=" + gitlabtest.JobToken,
		"CI_PROJECT_ID=1", "CI_PROJECT_PATH=group/app", "CI_PROJECT_DIR=" + workspace,
		"CI_COMMIT_REF_NAME=main",
	}
	for _, args := range [][]string{
		{"fetch", "--ref", "main", "--job", "build"},
		{"fetch", "-R", "group/sub/lib", "-r", "release/2.x", "-j", "package", "dist/", "lib/**/*.so", "-x", "**/*.map", "-o", filepath.Join(workspace, "vendor", "lib")},
	} {
		shown := strings.ReplaceAll(strings.Join(args, " "), workspace, "$CI_PROJECT_DIR")
		fmt.Fprintf(out, "$ artifetch %s\n", shown)
		if err := command(ctx, out, job, program, args...); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "\n$ find $CI_PROJECT_DIR")
	return list(out, workspace)
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
