package cli_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/cli"
)

// commandFlags are the rows of docs/cli.md about flags that take a text, by command.
func commandFlags(t *testing.T) map[string][]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	flags := map[string][]string{}
	row := regexp.MustCompile("(?m)^\\| (?:`-\\w`, )?`--([a-z0-9-]+) [A-Z=]+`|^    artifetch ((?:job )?(?:sync (?:init|add|remove)|[a-z]+))")
	of := "fetch" // knows the flags of every command
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		if m[2] != "" {
			of = m[2]
			continue
		}
		flags[of] = append(flags[of], m[1])
	}
	return flags
}

// numbers are flags whose value the library parses: it refuses anything else.
var numbers = regexp.MustCompile("^(retries|retry-max-time|stall-timeout|deadline|max-age|wait|strip-components|unpack|max-.*|concurrency|cache-max-size|limit)$")

// An out-of-range number must not silently mean the default, or no limit.
func TestNumbersOutOfRange(t *testing.T) {
	t.Parallel()
	tried := map[string]bool{}
	for name, flags := range commandFlags(t) {
		for _, flag := range flags {
			if !numbers.MatchString(flag) {
				continue
			}
			args := append([]string{"artifetch"}, strings.Fields(name)...)
			var said bytes.Buffer
			for _, value := range []string{"-1", "-1m"} { // the library refuses one of them
				said.Reset()
				if code := command(t, append(args, "--"+flag, value), cli.IO{In: strings.NewReader(""), Out: io.Discard, Err: &said}); code != 2 || !strings.Contains(said.String(), "--"+flag) {
					t.Errorf("%s --%s %s: code %d: %s", name, flag, value, code, said.String())
				}
			}
			tried[flag] = true
		}
	}
	if len(tried) < 13 {
		t.Errorf("only %d flags take numbers: %v", len(tried), tried)
	}
	for _, args := range []string{"--max-bytes 0", "--max-files 0", "--max-ratio 0", "--concurrency 0", "--cache-max-size 0", "--stall-timeout 0s", "--retry-max-time 0s", "--mr 0"} {
		var said bytes.Buffer
		if code := command(t, append([]string{"artifetch", "fetch", "-R", "1", "--job", "a"}, strings.Fields(args)...), cli.IO{Err: &said}); code != 2 || !strings.Contains(said.String(), "must be a positive number") {
			t.Errorf("%s: code %d: %s", args, code, said.String())
		}
	}
	const duration, number = "write it like 90s, 15m or 1h30m", "write a number, without a unit"
	for args, want := range map[string]string{"--wait x": duration, "--wait 5": "--wait: 5 has no unit\n  write 5s for seconds, 5m for minutes or 5h for hours", "--deadline 10": "10 has no unit", "--max-bytes 10GB": number, "--retries x": number} {
		var said bytes.Buffer
		if code := command(t, append([]string{"artifetch", "fetch"}, strings.Fields(args)...), cli.IO{Err: &said}); code != 2 || !strings.Contains(said.String(), want) {
			t.Errorf("%s: code %d: %s", args, code, said.String())
		}
	}
}

// A value that a shell left empty or unexpanded is an error, whatever the flag: it must
// not count as omitted.
func TestEmptyAndUnexpandedFlags(t *testing.T) {
	t.Parallel()
	tried := 0
	for name, flags := range commandFlags(t) {
		for _, flag := range flags {
			values := map[string]string{"": "is empty", "$SOME_NAME": "not expanded"}
			if name == "verify" {
				values = map[string]string{" ": "is empty", "${SOME_NAME}": "not expanded", "%SOME_NAME%": "not expanded"}
			}
			for value, want := range values {
				if numbers.MatchString(flag) {
					want = "invalid value"
				}
				args := append([]string{"artifetch"}, strings.Fields(name)...)
				var said bytes.Buffer
				code := command(t, append(args, "--"+flag, value), cli.IO{In: strings.NewReader(""), Out: io.Discard, Err: &said})
				if code != 2 || !strings.Contains(said.String(), want) || !strings.Contains(said.String(), "--"+flag) {
					t.Errorf("%s --%s %q: code %d: %s", name, flag, value, code, said.String())
				}
				tried++
			}
		}
	}
	if tried < 200 {
		t.Errorf("%d values", tried)
	}
	for _, args := range []string{"fetch --job b", "ls --job b", "cat", "extract a.zip", "sync --update", "job show", "completion"} {
		var said bytes.Buffer
		code := command(t, append(strings.Fields("artifetch "+args), ""), cli.IO{In: strings.NewReader(""), Out: io.Discard, Err: &said})
		if code != 2 || !strings.Contains(said.String(), "an argument is empty") {
			t.Errorf("%s '': code %d: %s", args, code, said.String())
		}
	}
}

// Every command reads its flags' defaults from the environment before it uses any flag.
func TestEveryCommandReadsItsVariables(t *testing.T) {
	t.Setenv("ARTIFETCH_LOG_FORMAT", "nonsense")
	t.Setenv("CI_API_V4_URL", "http://127.0.0.1:1")
	file := filepath.Join(t.TempDir(), "artifetch.yml")
	if err := os.WriteFile(file, []byte("version: 1\nsources: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name := range commandFlags(t) {
		args := map[string]string{"sync add": " x -f " + file, "sync remove": " x", "cat": " --job-id 1 x", "extract": " x", "job cancel": " 1", "job retry": " 1", "job erase": " 1", "job play": " 1", "job log": " 1", "job keep": " 1"}[name]
		var said bytes.Buffer
		if code := command(t, strings.Fields("artifetch "+name+args), cli.IO{In: strings.NewReader(""), Out: &said, Err: &said}); code != 2 || !strings.Contains(said.String(), "--log-format") {
			t.Errorf("%s: code %d: %s", name, code, said.String())
		}
	}
	t.Setenv("ARTIFETCH_LOG_FORMAT", "")
	t.Setenv("ARTIFETCH_FORMAT", "nonsense")
	for _, args := range []string{"doctor", "verify", "fetch --job x -R 1 -r main", "resolve --job x -R 1 -r main", "jobs -R 1", "job show 1 -R 1", "keep --job-id 1 -R 1"} {
		var said bytes.Buffer
		if code := command(t, strings.Fields("artifetch "+args), cli.IO{In: strings.NewReader(""), Out: &said, Err: &said}); code != 2 || !strings.Contains(said.String(), "--format") {
			t.Errorf("%s: code %d: %s", args, code, said.String())
		}
	}
	t.Setenv("ARTIFETCH_FORMAT", "")
	t.Setenv("ARTIFETCH_DEADLINE", "1ns")
	for _, args := range []string{"fetch --job x -R 1 -r main", "doctor", "jobs -R 1", "extract ../../CHANGELOG.md"} {
		var said bytes.Buffer
		if code := command(t, strings.Fields("artifetch "+args), cli.IO{In: strings.NewReader(""), Out: &said, Err: &said}); code != 6 {
			t.Errorf("%s: code %d: %s", args, code, said.String())
		}
	}
}
