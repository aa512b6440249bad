//go:build linux

// Command bench times the program against the tools that people use instead, as whole
// processes, alternating in one run:
//
//	archives   A many small files, B build outputs, C one large file, D stored
//	           files, E a few files of many; the same bytes on every machine
//	servers    nginx on loopback, plain and with TLS, as a GitLab that redirects
//	           to object storage; through a proxy that emulates a round trip of
//	           20 ms with slow start, or 100 MB/s for each connection
//	peers      curl + unzip, curl | bsdtar, aria2c + unzip, curl + 7z; the
//	           runner's helper and glab if they are installed
//	limits     transfer, decompression and writing alone; all of them shared by
//	           all CPUs
//
// and, because most archives are small and most servers are far away:
//
//	archives   80 kB, 1, 10 and 50 MB, as a runner writes them
//	servers    nginx with TLS in front of the simulated GitLab, 20 and 100 ms away, which
//	           serves the bytes itself or redirects to object storage on another port; a link
//	           of 1 Gbit/s that all connections share; GitLab takes -server-time for a request
//	peers      curl + unzip, curl | bsdtar, glab and the runner's helper, by ref and by ID
//	start      the same for one file of 1 kB without a distance
//	whole      archives that aren't extracted, beside curl -o
//
// Output goes to memory (/dev/shm). Every tree is compared by its SHA-256.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	corpora, nets string
	cells         string // a pattern that selects cells
	runs          int
	farRuns       int
	startRuns     int
	wholeRuns     int
	serverTime    time.Duration
	trace         bool
	scale         int
	out, page     string
}

func main() {
	var o options
	quick := flag.Bool("quick", false, "archives of an eighth")
	flag.StringVar(&o.corpora, "corpora", "A,B,C,D,E", "which archives")
	flag.StringVar(&o.nets, "nets", "loop,tls,rtt,lim", "which networks")
	flag.IntVar(&o.runs, "n", 3, "runs of each")
	flag.StringVar(&o.cells, "far", ".", "fetch small archives from a distance if their names, such as 10MB/20ms/redirect/ref, match this regular expression")
	flag.IntVar(&o.farRuns, "far-n", 5, "runs of each small archive")
	flag.DurationVar(&o.serverTime, "server-time", 50*time.Millisecond, "how long GitLab takes for each request of -far")
	flag.BoolVar(&o.trace, "trace", false, "print each run's connections and requests, with times, for -far and -start-n")
	flag.IntVar(&o.startRuns, "start-n", 20, "runs of the fetch of one small file without a distance")
	flag.IntVar(&o.wholeRuns, "whole-n", 5, "runs of each fetch of an archive that isn't extracted")
	flag.StringVar(&o.out, "out", "", "write the tables to this file too")
	flag.StringVar(&o.page, "update", "", "replace the tables of this page with these headings, too: docs/benchmarks.md")
	parts := flag.String("measure", "", "only measure the parts of the work on this archive of -corpora")
	generate := flag.String("generate", "", "only write the archive of -corpora to this file")
	flag.Parse()
	o.scale = 1
	if *quick {
		o.scale = 8
	}
	do := run
	switch {
	case *parts != "":
		do = func(context.Context, options) error { return measure(*parts, archives[o.corpora].wanted) }
	case *generate != "":
		do = func(context.Context, options) error { return archives[o.corpora].write(*generate, o.scale) }
	}
	if err := do(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// memoryBound is the limit for the program's peak memory, in bytes.
const memoryBound = 64 << 20

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("/dev/shm", "artifetch-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()     // a temporary directory
	if err := os.Chmod(dir, 0o755); err != nil { // nginx's workers run as another user
		return err
	}
	tools := []string{"nginx", "curl", "unzip", "bsdtar"}
	if o.corpora != "" {
		tools = append(tools, "aria2c", "7z")
	}
	if err := needTools(tools...); err != nil {
		return err
	}
	if err := build(ctx, dir); err != nil {
		return err
	}
	b := &bench{options: o, dir: dir}
	for _, name := range strings.FieldsFunc(o.corpora, func(r rune) bool { return r == ',' }) {
		if err := b.corpus(ctx, name); err != nil {
			return fmt.Errorf("archive %s: %w", name, err)
		}
	}
	if err := b.start(ctx); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	if err := b.far(ctx); err != nil {
		return err
	}
	if err := b.whole(ctx); err != nil {
		return fmt.Errorf("the archive itself: %w", err)
	}
	fmt.Print(b.report.String())
	if o.page != "" {
		if err := update(o.page, b.report.String()); err != nil {
			return err
		}
	}
	if o.out != "" {
		return os.WriteFile(o.out, []byte(b.report.String()), 0o644)
	}
	return nil
}

// build builds the program as it is shipped, and again with plain flags: the shipped one
// is optimized for size, which must not cost time.
func build(ctx context.Context, dir string) error {
	shipped := exec.CommandContext(ctx, "make", "build", "BIN="+filepath.Join(dir, "artifetch"))
	plain := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, "artifetch-plain"), ".")
	plain.Env = append(os.Environ(), "CGO_ENABLED=0")
	for _, cmd := range []*exec.Cmd{shipped, plain} {
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building: %w\n%s", err, out)
		}
	}
	return nil
}

// debian maps a tool to its package.
var debian = map[string]string{"bsdtar": "libarchive-tools", "aria2c": "aria2", "7z": "p7zip-full"}

func needTools(names ...string) error {
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			pkg := debian[name]
			if pkg == "" {
				pkg = name
			}
			return fmt.Errorf("%s is missing: install Debian's package %s", name, pkg)
		}
	}
	return nil
}
