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
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"
)

// bench is one run of the command.
type bench struct {
	options
	dir    string // of programs, archives and trees
	report report
}

// peer is a command line that extracts the archive's files into the current directory.
// URL, CA, JOB, ROOT and WANTED are replaced.
type peer struct {
	name, command string
	// streams says that it reads the archive from front to end, where a ZIP file doesn't
	// mark links: it turns them into files.
	streams bool
}

var peers = []peer{
	{"artifetch", `artifetch -q fetch --token-type none --server-url ROOT -R 1 --job-id JOB -o x WANTED`, false},
	{"curl + unzip", `curl -sfL --cacert CA -o a.zip URL && mkdir x && unzip -q a.zip -d x WANTED`, false},
	{"curl \\| bsdtar", `mkdir x && curl -sfL --cacert CA URL | bsdtar -xf - -C x WANTED`, true},
	{"aria2c -x8 + unzip", `aria2c -q --ca-certificate=CA -x8 -s8 -k1M -o a.zip URL && mkdir x && unzip -q a.zip -d x WANTED`, false},
	{"curl + 7z", `curl -sfL --cacert CA -o a.zip URL && 7z x -bd -y -ox a.zip WANTED >/dev/null`, false},
}

// plain is the program built with plain flags. It's timed on loopback, where the CPU is
// the limit.
var plain = peer{"artifetch, plain flags", strings.Replace(peers[0].command, "artifetch", "artifetch-plain", 1), false}

// optional are peers that are timed only if they are installed. They download the whole
// archive, and talk to GitLab directly.
var optional = []peer{
	{"gitlab-runner-helper", `mkdir x && cd x && gitlab-runner-helper artifacts-downloader --url ROOT/ --token x --id JOB --tls-ca-file CA 2>/dev/null`, false},
	{"glab", `mkdir x && GITLAB_HOST=ROOT GITLAB_TOKEN=x HOME=$PWD glab job artifact main build -R g/p -p x >/dev/null`, false},
}

func allPeers() []peer {
	all := slices.Clone(peers)
	for _, p := range optional {
		if _, err := exec.LookPath(p.name); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// line is a lower limit for every program: the transfer alone.
var line = peer{"limit: the line (curl >/dev/null)", `curl -sfL --cacert CA URL >/dev/null`, false}

// sample is one run of one command.
type sample struct {
	wall, cpu, server time.Duration
	rss               int64 // bytes, of the largest process
	bytes             int64 // sent by storage
	requests          int   // to storage
}

func (b *bench) corpus(ctx context.Context, name string) error {
	if _, ok := archives[name]; !ok {
		return fmt.Errorf("there is no such archive")
	}
	dir := filepath.Join(b.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // make room for the next one
	file := filepath.Join(dir, "archive.zip")
	// Use a separate process: this process's memory would count as the peak of every
	// process that it starts.
	generate := exec.CommandContext(ctx, os.Args[0], "-generate", file, "-corpora", name, fmt.Sprintf("-quick=%v", b.scale > 1))
	if out, err := generate.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	limits, err := b.limits(ctx, name, file)
	if err != nil {
		return err
	}
	s, err := serve(ctx, dir, file)
	if err != nil {
		return err
	}
	defer s.close()
	for _, net := range strings.Split(b.nets, ",") {
		if err := b.net(ctx, s, name, net, limits); err != nil {
			return fmt.Errorf("%s: %w", net, err)
		}
	}
	return nil
}

// net times every command on one network, taking turns.
func (b *bench) net(ctx context.Context, s *servers, name, net string, l limits) error {
	a := archives[name]
	peers := allPeers()
	if a.wanted != nil {
		peers = peers[:min(len(peers), 5)] // the others can't select files
	}
	if net == "loop" {
		peers = append(peers, plain)
	}
	t := table{name: name, net: net, limits: l, rows: append(peers, line)}
	t.samples = make([][]sample, len(t.rows))
	all := trees{}
	for range b.runs {
		for i, p := range t.rows {
			one, tree, err := b.once(ctx, s, p, a, net)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			t.samples[i] = append(t.samples[i], one)
			if p.name != line.name && !(p.streams && a.links > 0) {
				all.add(tree, p.name)
			}
		}
	}
	if err := all.same(); err != nil {
		return err
	}
	b.report.table(t)
	if peak := median(t.samples[0], func(s sample) int64 { return s.rss }); peak > memoryBound {
		return fmt.Errorf("artifetch took %d MiB", peak>>20)
	}
	return nil
}

func (b *bench) once(ctx context.Context, s *servers, p peer, a archive, net string) (sample, string, error) {
	out := filepath.Join(b.dir, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		return sample{}, "", err
	}
	defer func() { _ = os.RemoveAll(out) }() // the next run starts from scratch
	if err := os.Truncate(s.log, 0); err != nil {
		return sample{}, "", err
	}
	root := s.urls[net]
	url := fmt.Sprintf("%s/api/v4/projects/1/jobs/%d/artifacts", root, a.job)
	line := strings.NewReplacer("URL", url, "CA", s.ca, "JOB", fmt.Sprint(a.job), "ROOT", root, "WANTED", strings.Join(a.wanted, " ")).Replace(p.command)
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir = out
	cmd.Env = []string{"PATH=" + b.dir + ":" + os.Getenv("PATH"), "CI_SERVER_TLS_CA_FILE=" + s.ca, "TMPDIR=" + out}
	one, err := run1(cmd, s)
	if err != nil {
		return one, "", err
	}
	time.Sleep(20 * time.Millisecond) // nginx writes its log after the answer
	if one.bytes, one.requests, err = served(s.log); err != nil {
		return one, "", err
	}
	tree, err := digest(filepath.Join(out, "x"))
	return one, tree, err
}

// forget gives memory back and resets the peak of this process (proc(5), clear_refs): that
// is what the peak of a process it starts begins with, and the proxies take some.
func forget() error {
	debug.FreeOSMemory()
	return os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// run1 runs the command and measures what it and the server took.
func run1(cmd *exec.Cmd, s *servers) (sample, error) {
	if err := forget(); err != nil {
		return sample{}, err
	}
	before, err := s.cpu()
	if err != nil {
		return sample{}, err
	}
	start := time.Now()
	said, err := cmd.CombinedOutput()
	one := sample{wall: time.Since(start)}
	if err != nil {
		return one, fmt.Errorf("%w: %s", err, said)
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		one.rss = usage.Maxrss << 10
	}
	one.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	after, err := s.cpu()
	one.server = after - before
	return one, err
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

// digest returns one SHA-256 of a tree's names, types and contents.
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
	if os.IsNotExist(err) { // a limit leaves no files
		return "", nil
	}
	return fmt.Sprintf("%x", h.Sum(nil)), err
}
