package extract_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/need"
)

// onPurpose lists the archives that we treat differently from unzip and bsdtar, and why.
func onPurpose() map[string]string {
	return map[string]string{
		"symlink.zip":           "its link leads out of the directory",
		"dupdir.zip":            "a/b is a file and a directory in it",
		"7z-deflate64.zip":      "there is no library for Deflate64 that is kept",
		"comment-truncated.zip": "another directory lies in front of its own: which one counts, no two programs need agree",
	}
}

// Archives by other programs give the same files as with unzip and bsdtar, where those
// agree. The test creates the archives, or they come with Go.
func TestDifferential(t *testing.T) {
	t.Parallel()
	missing := missingTools(t)
	for _, tool := range missing {
		if tool == "unzip" || tool == "bsdtar" {
			need.Skipf(t, "%s is not installed", tool)
		}
	}
	src, dir := sourceTree(t), t.TempDir()
	compared := 0
	for name, script := range writers() {
		t.Run(name, func(t *testing.T) {
			for _, tool := range missing {
				if regexp.MustCompile(`\b` + tool + `\b`).MatchString(script) {
					need.Skipf(t, "%s is not installed", tool)
				}
			}
			out := filepath.Join(dir, name)
			cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
			cmd.Dir, cmd.Env = src, append(os.Environ(), "OUT="+out, "LC_ALL=C.UTF-8", "TZ=UTC")
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			if differential(t, out) {
				compared++
			}
		})
	}
	// Some contain features that another program doesn't support.
	if least := len(writers()) - 10; compared < least && len(missing) == 0 {
		t.Errorf("only %d archives were compared: the others disagree on too many", compared)
	}
	for _, archive := range foundArchives(t) {
		t.Run(filepath.Base(archive), func(t *testing.T) { differential(t, archive) })
	}
}

// missingTools returns the programs for creating or extracting archives that aren't
// installed, except for BSD's tar.
func missingTools(t *testing.T) (missing []string) {
	t.Helper()
	missing = need.Missing(t, "unzip", "bsdtar", "zip", "7z", "python3", "tar", "jar", "java", "xz", "lz4", "zstd", "bzip2")
	if version, err := exec.CommandContext(t.Context(), "tar", "--version").Output(); err == nil && !bytes.Contains(version, []byte("GNU")) {
		missing = append(missing, "tar")
	}
	return missing
}

// foundArchives returns archives that come with Go, and archives by real runners.
func foundArchives(t *testing.T) []string {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	archives, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "src/archive/zip/testdata/*.zip"))
	if err != nil || len(archives) < 20 {
		t.Fatalf("%d archives come with Go, %v", len(archives), err)
	}
	samples, err := filepath.Glob("../testdata/samples/*.zip")
	if err != nil || len(samples) < 5 {
		t.Fatalf("%d samples, %v", len(samples), err)
	}
	return append(archives, samples...)
}

// sourceTree is the content of the archives.
func sourceTree(t *testing.T) string {
	t.Helper()
	src := t.TempDir()
	when := time.Date(2025, 6, 7, 8, 9, 10, 0, time.Local)
	for _, f := range []struct {
		name string
		mode os.FileMode
		text string
	}{
		{"plain/a.txt", 0o644, "hello\n"}, {"plain/run.sh", 0o755, "#!/bin/sh\n"}, {"plain/secret", 0o600, "x"}, {"plain/readonly", 0o444, "y"},
		{"empty", 0o644, ""}, {"deep/er/and/deeper/f", 0o640, strings.Repeat("compressible ", 9000)}, {"with space [1] & more.txt", 0o644, "z"},
		{"naïve-測試.txt", 0o644, "unicode"}, {"noise", 0o644, string(noisy(300_000))},
		{"later", 0o644, "2039"}, {"holes", 0o644, "begin" + strings.Repeat("\x00", 200_000) + "end"}, {"program.exe", 0o755, program(t)},
		{"long/" + strings.Repeat("n", 120) + "/" + strings.Repeat("測", 50) + ".txt", 0o644, "a long name"},
	} {
		path := filepath.Join(src, f.name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, f.text)
		if err := os.Chmod(path, f.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(src, "empty-dir"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(src, "later"), when, when.AddDate(14, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(src, "plain", "a.txt"), filepath.Join(src, "plain", "hard")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("run.sh", filepath.Join(src, "plain", "link")); err != nil {
		t.Fatal(err)
	}
	return src
}

// program is the beginning of one, which has filters of its own.
func program(t *testing.T) string {
	t.Helper()
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content[:100_000])
}

func noisy(n int) []byte {
	b := make([]byte, n)
	state := uint32(1)
	for i := range b {
		state = state*1664525 + 1013904223
		b[i] = byte(state >> 24)
	}
	return b
}

// differential compares one archive, and reports whether there was anything to compare
// with: we must produce what the other programs do or, where they disagree, what one of
// them does.
func differential(t *testing.T, archive string) bool {
	t.Helper()
	name := filepath.Base(archive)
	content, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	_, err = unpack(t, content, out, extract.Options{})
	ours := tree(t, out)
	ourTimes := times(t, out)
	theirs, theirTimes := byOthers(t, archive)
	var diffs []string
	for tool, of := range theirs {
		diff := cmp.Diff(of, ours)
		if len(theirs) > 1 && diff != "" { // programs give archives by Windows different modes
			diff = cmp.Diff(withoutModes(of), withoutModes(ours))
		}
		if diff != "" {
			diffs = append(diffs, tool+": "+diff)
		}
	}
	_, made := writers()[name] // others are of other zones, which unzip and bsdtar know nothing of
	if diff := firstDiff(ourTimes, theirTimes); made && err == nil && diff != "" {
		t.Errorf("%s: times: %s", name, diff)
	}
	different := err != nil || len(diffs) > 0 && (len(diffs) == len(theirs) || agree(theirs))
	reason, known := onPurpose()[name]
	switch {
	case len(theirs) == 0:
		t.Logf("%s: all others refuse it; we: %v", name, err)
	case known && !different:
		t.Errorf("%s is no different any more (%s)", name, reason)
	case !known && different:
		t.Errorf("%s: %v\n%s", name, err, strings.Join(diffs, "\n"))
	}
	return len(theirs) > 0 && agree(theirs)
}

// times returns the times of files, in seconds.
func times(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				all[strings.TrimPrefix(path, dir)] = info.ModTime().Unix()
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// firstDiff compares our times with those of the other programs. There is no difference if
// we agree with one of them.
func firstDiff(ours map[string]int64, theirs []map[string]int64) string {
	for name, at := range ours {
		same := func(of map[string]int64) bool { return of[name]-at <= 2 && at-of[name] <= 2 } // as MS-DOS has them
		if len(theirs) > 0 && !slices.ContainsFunc(theirs, same) {
			return fmt.Sprintf("%s: %d, not %d", name, at, theirs[0][name])
		}
	}
	return ""
}

// agree reports whether trees are the same, except for modes.
func agree(trees map[string][]string) bool {
	var one []string
	for _, tree := range trees {
		if without := withoutModes(tree); one == nil {
			one = without
		} else if !slices.Equal(one, without) {
			return false
		}
	}
	return true
}

func withoutModes(lines []string) []string {
	without := []string{}
	for _, l := range lines {
		columns := strings.Split(l, "\t")
		without = append(without, strings.Join(slices.Delete(columns, 2, 3), "\t"))
	}
	return without
}

// byOthers unpacks with bsdtar and another program for the format. It returns no tree for
// a program that refuses the archive.
func byOthers(t *testing.T, archive string) (trees map[string][]string, all []map[string]int64) {
	t.Helper()
	commands := map[string]string{"bsdtar": `bsdtar -x -f "$0" -C "$1"`}
	switch {
	case strings.HasSuffix(archive, ".zip"):
		commands["unzip"] = `unzip -q -o "$0" -d "$1" || [ $? = 1 ]` // 1 warns of something harmless
	case strings.HasSuffix(archive, ".7z"):
		commands["7z"] = `7z x "$0" "-o$1"`
	default:
		commands["tar"] = `tar -x -f "$0" -C "$1"`
	}
	trees = map[string][]string{}
	for tool, script := range commands {
		out := t.TempDir()
		cmd := exec.CommandContext(t.Context(), "sh", "-c", "umask 022; "+script, archive, out)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC", "UNZIP=", "ZIPINFO=")
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Logf("%s: %s: %v %.200s", filepath.Base(archive), tool, err, text)
			continue
		}
		trees[tool], all = tree(t, out), append(all, times(t, out))
	}
	return trees, all
}
