//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/internal/bench/slownet"
)

// farLink is the client's link, which all its connections share, in bytes per second: 1
// Gbit/s.
const farLink = 125e6

// farRTTs are the round-trip times.
var farRTTs = []time.Duration{20 * time.Millisecond, 100 * time.Millisecond}

// cell is one cell in the table of small archives at a distance.
type cell struct {
	size     string
	rtt      time.Duration
	redirect bool // to object storage
	byRef    bool // rather than by the job's ID
}

// cells returns all cells in the order of the tables.
func cells() []cell {
	var all []cell
	for _, redirect := range []bool{false, true} {
		for _, rtt := range farRTTs {
			for _, size := range smallSizes {
				all = append(all, cell{size.name, rtt, redirect, true}, cell{size.name, rtt, redirect, false})
			}
		}
	}
	return all
}

// String returns the name that -far selects by.
func (c cell) String() string {
	from, by := "gitlab", "id"
	if c.redirect {
		from = "redirect"
	}
	if c.byRef {
		by = "ref"
	}
	return fmt.Sprintf("%s/%dms/%s/%s", c.size, c.rtt.Milliseconds(), from, by)
}

// farPeer is a command line as people write it in a job, by ref and by ID. An empty one
// means that the tool can't do it.
type farPeer struct{ name, byRef, byID string }

const (
	curlByRef = `curl -sfL --header "JOB-TOKEN: $CI_JOB_TOKEN" "$CI_API_V4_URL/projects/$CI_PROJECT_ID/jobs/artifacts/main/download?job=build"`
	curlByID  = `curl -sfL --header "JOB-TOKEN: $CI_JOB_TOKEN" "$CI_API_V4_URL/projects/$CI_PROJECT_ID/jobs/$JOB/artifacts"`
)

var farPeers = []farPeer{
	{"artifetch", `artifetch fetch --ref main --job build -o x`, `artifetch fetch --job-id $JOB -o x`},
	{"curl + unzip", curlByRef + ` -o a.zip && unzip -q a.zip -d x`, curlByID + ` -o a.zip && unzip -q a.zip -d x`},
	{"curl \\| bsdtar", `mkdir x && ` + curlByRef + ` | bsdtar -xf - -C x`, `mkdir x && ` + curlByID + ` | bsdtar -xf - -C x`},
}

// farOptional are timed only if they're installed.
var farOptional = []farPeer{
	{"glab", `mkdir x && GITLAB_HOST=$CI_SERVER_URL GITLAB_TOKEN=` + farToken + ` glab job artifact main build -R g/p -p x`, ""},
	{"gitlab-runner-helper", "", `mkdir x && cd x && gitlab-runner-helper artifacts-downloader --url $CI_SERVER_URL/ --token $CI_JOB_TOKEN --id $JOB --tls-ca-file $CI_SERVER_TLS_CA_FILE`},
}

func (p farPeer) command(byRef bool) string {
	if byRef {
		return p.byRef
	}
	return p.byID
}

// allFarPeers returns the peers that can be timed in a cell. The first is ours; the
// others are compared with the second.
func allFarPeers(byRef bool) []farPeer {
	all := slices.Clone(farPeers)
	for _, p := range farOptional {
		if _, err := exec.LookPath(p.name); err == nil && p.command(byRef) != "" {
			all = append(all, p)
		}
	}
	return all
}

// visit is the result of running one command against an instance.
type visit struct {
	wall, cpu   time.Duration
	api, bodies int   // requests without bytes of the archive, and with them
	connections int   // opened connections
	bytes       int64 // received bytes, including handshakes and aborted answers
}

// far times every command in the selected cells.
func (b *bench) far(ctx context.Context) error {
	only, err := regexp.Compile(b.cells)
	if err != nil {
		return err
	}
	selected := slices.DeleteFunc(cells(), func(c cell) bool { return !only.MatchString(c.String()) })
	if len(selected) == 0 {
		return nil
	}
	dir := filepath.Join(b.dir, "small")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	sizes := slices.DeleteFunc(slices.Clone(smallSizes), func(s smallSize) bool {
		return !slices.ContainsFunc(selected, func(c cell) bool { return c.size == s.name })
	})
	if err := writeRunnerZips(dir, sizes); err != nil {
		return err
	}
	results := map[cell][]farRow{}
	before := load()
	for _, c := range selected {
		if results[c], err = b.cell(ctx, c, filepath.Join(dir, c.size)); err != nil {
			return fmt.Errorf("%v: %w", c, err)
		}
	}
	b.report.far(selected, results, b.serverTime)
	_, _ = fmt.Fprintf(&b.report, "\n%d runs of each, by turns, on %d CPUs with a load of %s before and %s after.\n", b.farRuns, runtime.NumCPU(), before, load())
	return os.RemoveAll(dir)
}

// load returns the load average of the last minute.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "?"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// farRow is the measurements of one command.
type farRow struct {
	farPeer
	visits []visit
}

// cell times every command in one cell, taking turns.
func (b *bench) cell(ctx context.Context, c cell, archive string) ([]farRow, error) {
	s := site{archive: archive, redirect: c.redirect, path: &slownet.Path{RTT: c.rtt, Link: farLink}, serverTime: b.serverTime}
	var rows []farRow
	for _, p := range allFarPeers(c.byRef) {
		rows = append(rows, farRow{farPeer: p})
	}
	all := trees{}
	err := b.at(ctx, s, func(i *instance) error {
		for range b.farRuns {
			for n, row := range rows {
				v, tree, err := b.visit(ctx, i, row.command(c.byRef))
				if err != nil {
					return fmt.Errorf("%s: %w", row.name, err)
				}
				rows[n].visits = append(rows[n].visits, v)
				all.add(tree, row.name)
			}
		}
		return all.same()
	})
	return rows, err
}

// trees maps each resulting tree to the commands that produced it.
type trees map[string]string

func (t trees) add(tree, name string) { t[tree] += " " + name }

// same returns an error unless all commands produced the same files.
func (t trees) same() error {
	if len(t) != 1 || t[""] != "" {
		return fmt.Errorf("the trees differ: %v", t)
	}
	return nil
}

// at starts an instance, and stops it when do returns.
func (b *bench) at(ctx context.Context, s site, do func(*instance) error) error {
	dir, err := os.MkdirTemp(b.dir, "instance-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary directory
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	i, err := s.open(ctx, dir)
	if err != nil {
		return err
	}
	defer i.close()
	return do(i)
}

// visit runs a command like a job of the instance, and counts its requests.
func (b *bench) visit(ctx context.Context, i *instance, command string) (visit, string, error) {
	out := filepath.Join(b.dir, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		return visit{}, "", err
	}
	defer func() { _ = os.RemoveAll(out) }() // the next run starts from scratch
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir = out
	server := "https://" + i.gitlab
	cmd.Env = []string{
		"PATH=" + b.dir + ":" + os.Getenv("PATH"), "HOME=" + out, "TMPDIR=" + out,
		"CI_SERVER_URL=" + server, "CI_API_V4_URL=" + server + "/api/v4", "CI_SERVER_TLS_CA_FILE=" + i.ca,
		fmt.Sprint("CI_PROJECT_ID=", farProject), "CI_PROJECT_PATH=g/p", "CI_JOB_TOKEN=" + farJobToken, fmt.Sprint("JOB=", farJob),
		fmt.Sprint("CI_PIPELINE_ID=", farPipeline), fmt.Sprint("CI_JOB_ID=", farOwnJob),
		// curl and Go find the authority here, among the system's.
		"CURL_CA_BUNDLE=" + i.bundle, "SSL_CERT_FILE=" + i.bundle,
	}
	start := time.Now()
	said, err := cmd.CombinedOutput()
	v := visit{wall: time.Since(start)}
	if err != nil {
		return v, "", fmt.Errorf("%w: %s", err, said)
	}
	v.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	t, err := i.traffic(ctx)
	if err != nil {
		return v, "", err
	}
	t.count(&v)
	if b.trace {
		fmt.Fprintf(os.Stderr, "%s: %v, %v of CPU\n%s", command, v.wall.Round(time.Millisecond), v.cpu.Round(time.Millisecond), t.timeline(start, i.nearStorage))
	}
	tree, err := digest(filepath.Join(out, "x"))
	return v, tree, err
}
