package messages

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/resolve"
)

func TestSentences(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	con := console.New(nil, nil, &said)
	log := New(con, Options{Level: zerolog.InfoLevel})
	failed := errors.New("it failed")
	for _, tt := range []struct {
		name string
		do   func()
		want string
	}{
		{"no fields", func() { log.Info().Msg("the log is empty") }, "the log is empty"},
		{"a detail", func() { log.Debug().Msg("the log is empty") }, ""},
		{"an error", func() { log.Warn().Err(failed).Msg("nothing fetched") }, "warning: nothing fetched: it failed"},
		{"fields within", func() {
			log.Warn().Err(failed).Str("path", "a").Msg("cannot remove the staging directory; the next run tries again")
		}, "warning: cannot remove the staging directory a: it failed; the next run tries again"},
		{"bytes and seconds", func() {
			log.Info().Int64("percent", 34).Int64("bytes", 2<<30).Int64("bytes_per_second", 12<<20).Float64("seconds_left", 75).Msg("under way")
		}, "34 % of 2.0 GiB, 12.0 MiB/s, 1 min 15 s left"},
		{"files and links", func() { log.Info().Int("files", 5).Int("links", 1).Msg("everything matches the lock file") }, "5 files, 1 link checked: everything matches the lock file"},
		{"files alone", func() { log.Info().Int("files", 5).Int("links", 0).Msg("everything matches the lock file") }, "5 files checked: everything matches the lock file"},
		{"one", func() { log.Info().Int("sources", 1).Msg("everything is in place") }, "1 source in place"},
		{"a list", func() {
			log.Info().Strs("reports", []string{"junit", "sast"}).Msg("the job also has reports; --report TYPE lists one")
		}, "the job also has reports: junit, sast; --report TYPE lists one"},
		{"a request", func() {
			log.Warn().Int("status", 429).Str("url", "https://x/y?z").Float64("wait_seconds", 2).Msg("GET")
		}, "warning: GET https://x/y: 429 Too Many Requests; retrying in 2.0 s"},
		{"a request that isn't retried", func() {
			log.Warn().Int("status", 503).Str("url", "https://x/y?z").Float64("asked_seconds", 5400).Msg("GET")
		}, "warning: GET https://x/y: 503 Service Unavailable; not retried, because the server asks to wait 1 h 30 min, longer than --retry-max-time allows"},
		{"a request without an answer", func() { log.Warn().Err(failed).Str("url", "https://x/y?z").Float64("wait_seconds", 2).Msg("GET") }, "warning: GET https://x/y: it failed; retrying in 2.0 s"},
		{"a name that a terminal would obey", func() { log.Warn().Str("path", "a\x1b[2J{b}\nc").Str("because", "x").Msg("left out") }, `warning: left out a\u001b[2J{b}\u000ac: x`},
	} {
		said.Reset()
		tt.do()
		if got := strings.TrimSuffix(said.String(), "\n"); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Every template belongs to a message of the command line.
func TestTemplatesAreUsed(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, f := range files {
		if text, err := os.ReadFile("../../" + f.Name()); err == nil && strings.HasSuffix(f.Name(), ".go") {
			code.Write(text)
		}
	}
	field := regexp.MustCompile(`\{(\w+)`)
	for message, template := range templates {
		if !strings.Contains(code.String(), `.Msg("`+message+`")`) {
			t.Errorf("nothing says %q", message)
		}
		for _, name := range field.FindAllStringSubmatch(template, -1) {
			if name[1] != "error" && !strings.Contains(code.String(), `("`+name[1]+`", `) {
				t.Errorf("%q: no message has a field %s", message, name[1])
			}
		}
	}
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	build := resolve.Artifact{JobID: 1101, JobName: "build", Ref: "main", SHA: "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", Status: "success", Size: 2 << 30}
	bare, failed, older, report := build, build, build, build
	bare.JobName, bare.Ref, bare.SHA, bare.Size = "", "", "", 0
	failed.Status, older.Back, report.Report.Type = "failed", 2, "junit"
	for _, tt := range []struct {
		name string
		Outcome
		want string
	}{
		{"some files of a large archive", Outcome{Artifact: build, Files: 22, Bytes: 30515, Into: "dist", Took: 1234 * time.Millisecond, Transfer: true, Fetched: 18432}, "build #1101 · main @ bbbbbbbb · 22 files, 29.8 KiB → dist (1.2 s, 18.0 KiB fetched of 2.0 GiB)"},
		{"a job of which little is known", Outcome{Artifact: bare, Files: 1, Bytes: 5, Into: ".", Took: time.Minute, Transfer: true, Fetched: 9}, "job #1101 · 1 file, 5 B → . (1 min 0 s, 9 B fetched)"},
		{"from the cache", Outcome{Artifact: build, Bytes: 0, Into: "a", Took: time.Millisecond, Transfer: true}, "build #1101 · main @ bbbbbbbb · 0 files, 0 B → a (0.0 s, from the cache)"},
		{"an empty report", Outcome{Artifact: bare, Files: 1, Into: "a", Took: time.Millisecond, Transfer: true}, "job #1101 · 1 file, 0 B → a (0.0 s, 0 B fetched)"},
		{"a failed job", Outcome{Artifact: failed, Files: 2, Into: "a"}, "build #1101 (failed) · main @ bbbbbbbb · 2 files, 0 B → a"},
		{"an older pipeline", Outcome{Artifact: older, Files: 2, Into: "a"}, "build #1101 · main @ bbbbbbbb, 2 pipelines back · 2 files, 0 B → a"},
		{"a report of a source", Outcome{Source: "lint", Artifact: report, Files: 1, Into: "a"}, "lint: junit report of build #1101 · main @ bbbbbbbb · 1 file, 0 B → a"},
		{"the archive itself", Outcome{Artifact: build, Files: 1, Whole: true, Bytes: 1 << 20, Into: "a.zip"}, "build #1101 · main @ bbbbbbbb · archive, 1.0 MiB → a.zip"},
		{"a local archive", Outcome{Name: "a.zip", Files: 1, Bytes: 1, Into: ".", Took: time.Second}, "a.zip · 1 file, 1 B → . (1.0 s)"},
		{"links", Outcome{Name: "a.zip", Files: 1, Links: 2, Bytes: 1, Into: "."}, "a.zip · 1 file, 2 links, 1 B → ."},
		{"what changed", Outcome{Name: "a.zip", Files: 1, Bytes: 1, Into: ".", Took: time.Second, Change: "files: 1 added: +a"}, "a.zip · 1 file, 1 B → . (1.0 s) · files: 1 added: +a"},
		{"one file", Outcome{Name: "a.txt", Single: true, Into: "b.txt"}, "a.txt · 0 B → b.txt"},
	} {
		if got := tt.Outcome.String(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Several outcomes are printed on a line each, with one for all; a single one includes the
// job's address.
func TestPrint(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	con := console.New(nil, nil, &said)
	o := Outcome{Artifact: resolve.Artifact{JobID: 1, Size: 1 << 20}, Files: 1, Bytes: 1024, Into: "a", Page: "https://x/-/jobs/1", Took: time.Second, Transfer: true, Fetched: 1024}
	failed := o
	failed.Warn, failed.Artifact.Status = true, "failed"
	for _, tt := range []struct {
		name string
		list []Outcome
		want string
	}{
		{"none", nil, ""},
		{"one", []Outcome{o}, "✓ job #1 · 1 file, 1.0 KiB → a (1.0 s, 1.0 KiB fetched of 1.0 MiB)\n  https://x/-/jobs/1\n"},
		{"two", []Outcome{o, failed}, "✓ job #1 · 1 file, 1.0 KiB → a (1.0 s, 1.0 KiB fetched of 1.0 MiB)\n! job #1 (failed) · 1 file, 1.0 KiB → a (1.0 s, 1.0 KiB fetched of 1.0 MiB)\n✓ 2 jobs · 2 files, 2.0 KiB (1.0 s, 2.0 KiB fetched of 2.0 MiB)\n"},
	} {
		said.Reset()
		Print(con, tt.list, "job")
		if said.String() != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, said.String(), tt.want)
		}
	}
	con.SetColours(true)
	said.Reset()
	Print(con, []Outcome{failed}, "job")
	if want := "\x1b[33m!\x1b[0m job #1"; !strings.HasPrefix(said.String(), want) {
		t.Errorf("%q, want %q first", said.String(), want)
	}
}
