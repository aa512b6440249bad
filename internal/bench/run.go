//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// bench is one run of the command.
type bench struct {
	options
	dir, program string
	report       report
}

// peer is a command line that brings the archive's files into the directory
// where it runs. URL, CA, JOB, ROOT and WANTED are replaced.
type peer struct {
	name, command string
	// streams tells that it reads the archive from front to end, where a zip does
	// not say what is a link: it makes files of them.
	streams bool
}

var peers = []peer{
	{"artifetch", `artifetch -q fetch --token-type none --server-url ROOT -R 1 --job-id JOB -o x WANTED`, false},
	{"curl + unzip", `curl -sf --cacert CA -o a.zip URL && mkdir x && unzip -q a.zip -d x WANTED`, false},
	{"curl \\| bsdtar", `mkdir x && curl -sf --cacert CA URL | bsdtar -xf - -C x WANTED`, true},
	{"aria2c -x8 + unzip", `aria2c -q --ca-certificate=CA -x8 -s8 -k1M -o a.zip URL && mkdir x && unzip -q a.zip -d x WANTED`, false},
	{"curl + 7z", `curl -sf --cacert CA -o a.zip URL && 7z x -bd -y -ox a.zip WANTED >/dev/null`, false},
}

// limits are what no program can beat on this machine: they do one part alone.
var limits = []peer{
	{"limit: the line (curl >/dev/null)", `curl -sf --cacert CA URL >/dev/null`, false},
}

// sample is one run of one command.
type sample struct {
	wall, cpu time.Duration
	rss       int64 // bytes, of the largest process
	bytes     int64 // that nginx sent
	requests  int
}

func (b *bench) corpus(ctx context.Context, name string) error {
	a, ok := archives[name]
	if !ok {
		return fmt.Errorf("there is no such archive")
	}
	dir := filepath.Join(b.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // room for the next one
	file := filepath.Join(dir, "archive.zip")
	// In a process of its own: what this one has ever used counts as the peak of
	// each that it starts.
	generate := exec.CommandContext(ctx, os.Args[0], "-generate", file, "-corpora", name, fmt.Sprintf("-quick=%v", b.scale > 1))
	if out, err := generate.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	s, err := serve(ctx, dir, file, a.job)
	if err != nil {
		return err
	}
	defer s.close()
	for _, net := range strings.Split(b.nets, ",") {
		if err := b.net(ctx, s, name, net, info.Size()); err != nil {
			return fmt.Errorf("%s: %w", net, err)
		}
	}
	return nil
}

// net times every command on one network, in turn.
func (b *bench) net(ctx context.Context, s *servers, name, net string, size int64) error {
	a := archives[name]
	all := slices.Concat(peers, limits)
	samples := make([][]sample, len(all))
	trees := map[string]string{}
	for range b.runs {
		for i, p := range all {
			one, tree, err := b.once(ctx, s, p, a, net)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			samples[i] = append(samples[i], one)
			if i < len(peers) && !(p.streams && a.links > 0) {
				trees[tree] += " " + p.name
			}
		}
	}
	if len(trees) != 1 {
		return fmt.Errorf("the trees differ: %v", trees)
	}
	b.report.table(fmt.Sprintf("%s: %s (%d MB), %s", name, a.what, size/1e6, nets[net]), all, samples)
	if peak := median(samples[0], func(s sample) int64 { return s.rss }); peak > memoryBound {
		return fmt.Errorf("artifetch took %d MiB", peak>>20)
	}
	return nil
}

func (b *bench) once(ctx context.Context, s *servers, p peer, a archive, net string) (sample, string, error) {
	out := filepath.Join(b.dir, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		return sample{}, "", err
	}
	defer func() { _ = os.RemoveAll(out) }() // the next one begins afresh
	if err := os.Truncate(s.log, 0); err != nil {
		return sample{}, "", err
	}
	root := s.urls[net]
	url := fmt.Sprintf("%s/api/v4/projects/1/jobs/%d/artifacts", root, a.job)
	line := strings.NewReplacer("URL", url, "CA", s.ca, "JOB", fmt.Sprint(a.job), "ROOT", root, "WANTED", strings.Join(a.wanted, " ")).Replace(p.command)
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir = out
	cmd.Env = []string{"PATH=" + b.dir + ":" + os.Getenv("PATH"), "CI_SERVER_TLS_CA_FILE=" + s.ca, "TMPDIR=" + out}
	start := time.Now()
	said, err := cmd.CombinedOutput()
	one := sample{wall: time.Since(start)}
	if err != nil {
		return one, "", fmt.Errorf("%w: %s", err, said)
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		one.rss = usage.Maxrss << 10
	}
	one.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	time.Sleep(20 * time.Millisecond) // nginx writes its log after the answer
	if one.bytes, one.requests, err = served(s.log); err != nil {
		return one, "", err
	}
	tree, err := digest(filepath.Join(out, "x"))
	return one, tree, err
}

// served reads nginx's log.
func served(path string) (bytes int64, requests int, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		var status, body, sent int64
		if _, err := fmt.Sscan(line, &status, &body, &sent); err != nil {
			return 0, 0, err
		}
		bytes += body
		requests++
	}
	return bytes, requests, nil
}

// digest is one SHA-256 over names, kinds and contents of a tree.
func digest(root string) (string, error) {
	h := sha256.New()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		_, _ = fmt.Fprintln(h, strings.TrimPrefix(path, root), entry.Type())
		if target, err := os.Readlink(path); err == nil {
			_, _ = io.WriteString(h, target)
			return nil
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(h, f)
		_ = f.Close() // only read
		return err
	})
	if os.IsNotExist(err) { // a limit leaves nothing
		return "", nil
	}
	return fmt.Sprintf("%x", h.Sum(nil)), err
}
