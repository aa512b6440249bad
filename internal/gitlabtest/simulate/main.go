// Command simulate serves the simulated GitLab until it is interrupted, to try out a
// client. It prints the variables of a job.
//
//	go run ./internal/gitlabtest/simulate -mode redirect -version 18.5
//	go run ./internal/gitlabtest/simulate -job 5701 -storage-down refused
//	go run ./internal/gitlabtest/simulate -world world.json -fault '{"kind":"502","times":2}'
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var o gitlabtest.Options
	flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
	job := flags.Int64("job", 0, "`id` of a job whose variables are printed")
	file := flags.String("world", "", "JSON `file` with the world (default: the fixture of the tests)")
	define(flags, &o)
	if err := flags.Parse(args); err != nil {
		return err
	}
	world, err := load(*file)
	if err != nil {
		return err
	}
	s := gitlabtest.Start(world, o)
	defer s.Close()
	if err := s.Err(); err != nil {
		return err
	}
	fmt.Fprintf(out, "export CI_SERVER_URL=%s CI_API_V4_URL=%s\n", s.URL, s.APIURL)
	if *file == "" {
		fmt.Fprintf(out, "export CI_PROJECT_ID=1 CI_COMMIT_REF_NAME=main CI_JOB_TOKEN=%s\n", gitlabtest.JobToken)
		fmt.Fprintf(out, "# or GITLAB_TOKEN=%s\n", gitlabtest.PrivateToken)
	}
	if *job != 0 {
		if err := printEnv(out, s, *job); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

// printEnv prints a job's variables for a shell.
func printEnv(out io.Writer, s *gitlabtest.Running, job int64) error {
	vars, err := s.Env(job)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		fmt.Fprintf(out, "export %s='%s'\n", name, strings.ReplaceAll(vars[name], "'", `'\''`))
	}
	return nil
}

// define defines a flag for each option of the instance.
func define(flags *flag.FlagSet, o *gitlabtest.Options) {
	flags.Func("mode", "how archives are served: disk, proxy, redirect, noranges, nolength", func(v string) error {
		o.Mode = gitlabtest.Mode(v)
		return nil
	})
	flags.StringVar(&o.Version, "version", "", "of GitLab, such as 18.5 (default: the newest)")
	flags.BoolVar(&o.Unlicensed, "unlicensed", false, "job tokens find no project on the artifacts API")
	flags.BoolVar(&o.NoSuffixRange, "no-suffix-range", false, "storage knows no suffix ranges")
	flags.IntVar(&o.SuffixStatus, "suffix-status", 0, "storage refuses suffix ranges with this `status`")
	flags.BoolVar(&o.IgnoreIfNoneMatch, "ignore-if-none-match", false, "storage ignores If-None-Match")
	flags.DurationVar(&o.URLExpiry, "url-expiry", 0, "of pre-signed URLs (default 10m)")
	flags.StringVar(&o.RelativeRoot, "relative-root", "", "such as /gitlab")
	flags.Func("since", "FEATURE=VERSION: from which version on the instance has a feature, or never; may repeat", func(v string) error {
		name, version, ok := strings.Cut(v, "=")
		if !ok {
			return fmt.Errorf("%q is not FEATURE=VERSION", v)
		}
		if o.Since == nil {
			o.Since = map[string]string{}
		}
		o.Since[name] = version
		return nil
	})
	flags.Func("download-mode", "that object storage allows to ask for: direct, proxy; may repeat", func(v string) error {
		o.DownloadModes = append(o.DownloadModes, v)
		return nil
	})
	flags.StringVar(&o.StorageDown, "storage-down", "", "how storage cannot be reached: refused, no-name, untrusted, silent, black-hole")
	flags.BoolFunc("limits", "GitLab's rate limits", func(string) error {
		o.Limits = &gitlabtest.Limits{}
		return nil
	})
	flags.IntVar(&o.PerPage, "per-page", 0, "rows of a page, at most (default 100)")
	flags.StringVar(&o.LinkHost, "link-host", "", "host that Link headers name")
	flags.IntVar(&o.ShiftRows, "shift-rows", 0, "rows that come to the front of every list behind its first page")
	flags.IntVar(&o.MaxOffset, "max-offset", 0, "where offset pages of a project's jobs end (default 50000)")
	flags.BoolVar(&o.NoKeyset, "no-keyset", false, "no list has keyset pages")
	flags.Func("fault", "what goes wrong, as JSON; may repeat", func(v string) error {
		var f gitlabtest.Fault
		err := json.Unmarshal([]byte(v), &f)
		o.Faults = append(o.Faults, f)
		return err
	})
}

func load(file string) (*gitlabtest.World, error) {
	if file == "" {
		return gitlabtest.Fixture(), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	return gitlabtest.ReadWorld(f)
}
