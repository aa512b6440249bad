package extract_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/extract"
)

// writers make archives of the directory that they are run in, at $OUT. What they
// have in common is that none of them is GitLab Runner.
func writers() map[string]string {
	python := func(how string) string {
		return `python3 - <<'END'
import os, sys, zipfile
out = os.environ["OUT"]
class Pipe:
    def __init__(self): self.f = open(out, "wb")
    def write(self, b): return self.f.write(b)
    def flush(self): self.f.flush()
    def close(self): self.f.close()
def add(z, **more):
    for root, dirs, files in sorted(os.walk(".")):
        for name in sorted(dirs + files):
            path = os.path.join(root, name)
            if not os.path.islink(path): z.write(path, **more)
` + how + "\nEND"
	}
	return map[string]string{
		"infozip.zip":            "zip -qr $OUT .",
		"infozip-stored.zip":     "zip -qr0 $OUT .",
		"infozip-best.zip":       "zip -qr9 $OUT .",
		"infozip-bzip2.zip":      "zip -qr -Z bzip2 $OUT .",
		"infozip-links.zip":      "zip -qry $OUT .",
		"infozip-zip64.zip":      "zip -qr -fz $OUT .",
		"infozip-descriptor.zip": "zip -qr -fd $OUT .",
		"infozip-stream.zip":     "zip -qr - . >$OUT",
		"infozip-pipe.zip":       "zip -qr - . | cat >$OUT",
		"infozip-no-dirs.zip":    "zip -qrD $OUT .",
		"infozip-no-extra.zip":   "zip -qrX $OUT .",
		"infozip-dos.zip":        "zip -qrk $OUT plain",
		"infozip-comment.zip":    "zip -qr $OUT . && echo a comment | zip -qz $OUT",
		"infozip-prefix.zip":     "zip -qr $OUT.tmp . && { echo '#!/bin/sh'; cat $OUT.tmp; } >$OUT && zip -qA $OUT",
		"infozip-prefix-raw.zip": "zip -qr $OUT.tmp . && { echo '#!/bin/sh'; cat $OUT.tmp; } >$OUT",
		"infozip-trailing.zip":   "zip -qr $OUT . && echo something >>$OUT",
		"7z-copy.zip":            "7z a -tzip -mm=Copy $OUT .",
		"7z-deflate.zip":         "7z a -tzip -mm=Deflate -mx=9 $OUT .",
		"7z-deflate64.zip":       "7z a -tzip -mm=Deflate64 $OUT .",
		"7z-bzip2.zip":           "7z a -tzip -mm=BZip2 $OUT .",
		"7z-lzma.zip":            "7z a -tzip -mm=LZMA $OUT .",
		"7z-utf8.zip":            "7z a -tzip -mcu=on $OUT .",
		"bsdtar.zip":             "bsdtar -c -f $OUT --format zip .",
		"bsdtar-stored.zip":      "bsdtar -c -f $OUT --format zip --options zip:compression=store .",
		"bsdtar-pipe.zip":        "bsdtar -c --format zip . | cat >$OUT",
		"python-stored.zip":      python(`with zipfile.ZipFile(out, "w") as z: add(z)`),
		"python-deflated.zip":    python(`with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z: add(z)`),
		"python-bzip2.zip":       python(`with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as z: add(z)`),
		"python-lzma.zip":        python(`with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as z: add(z)`),
		"python-pipe.zip":        python(`with zipfile.ZipFile(Pipe(), "w", zipfile.ZIP_DEFLATED) as z: add(z)`),
		"python-zip64.zip": python(`with zipfile.ZipFile(out, "w") as z:
    with z.open("forced.txt", "w", force_zip64=True) as f: f.write(b"forced")`),
		"bsdtar.tar":       "bsdtar -c -f $OUT .",
		"bsdtar-ustar.tar": "bsdtar -c -f $OUT --format ustar plain",
		"bsdtar-pax.tar":   "bsdtar -c -f $OUT --format pax .",
		"bsdtar-gnu.tar":   "bsdtar -c -f $OUT --format gnutar .",
		"bsdtar.tar.gz":    "bsdtar -cz -f $OUT .",
		"bsdtar.tar.bz2":   "bsdtar -cj -f $OUT .",
		"bsdtar.tar.xz":    "bsdtar -cJ -f $OUT .",
		"bsdtar.tar.zst":   "bsdtar -c --zstd -f $OUT .",
		"bsdtar.tar.lz4":   "bsdtar -c --lz4 -f $OUT .",
		"bsdtar.7z":        "bsdtar -c -f $OUT --format 7zip .",
		"7z.7z":            "7z a -snl $OUT .",
		"7z-solid-max.7z":  "7z a -snl -mx=9 $OUT .",
		"7z-bzip2.7z":      "7z a -snl -m0=BZip2 $OUT .",
	}
}

// onPurpose are the archives that we treat otherwise than unzip and bsdtar do, and
// why.
func onPurpose() map[string]string {
	return map[string]string{
		"symlink.zip":           "its link leads out of the directory",
		"comment-truncated.zip": "another directory lies in front of its own: which one counts, no two programs need agree",
	}
}

// What comes out of an archive by other writers is what comes out by unzip and by
// bsdtar, where those agree. Archives are made anew, or come with Go.
func TestDifferential(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"unzip", "bsdtar", "zip", "7z", "python3"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skipf("%s is not installed", tool)
		}
	}
	src, dir := sourceTree(t), t.TempDir()
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
	archives = append(archives, samples...)
	for name, script := range writers() {
		out := filepath.Join(dir, name)
		cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
		cmd.Dir, cmd.Env = src, append(os.Environ(), "OUT="+out, "LC_ALL=C.UTF-8")
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", name, err, text)
		}
		archives = append(archives, out)
	}
	compared := 0
	for _, archive := range archives {
		if differential(t, archive) {
			compared++
		}
	}
	t.Logf("%d of %d archives were compared", compared, len(archives))
	if compared < len(writers()) {
		t.Errorf("only %d archives were compared: unzip and bsdtar disagree on too many", compared)
	}
}

// sourceTree is what archives are made of.
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
	if err := os.Symlink("run.sh", filepath.Join(src, "plain", "link")); err != nil {
		t.Fatal(err)
	}
	return src
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

// differential compares one archive, and reports whether there was anything to
// compare with.
func differential(t *testing.T, archive string) bool {
	t.Helper()
	name := filepath.Base(archive)
	theirs := byOthers(t, archive)
	of := func(lines []string) []string { return lines }
	if len(theirs) == 2 && !slices.Equal(theirs[0], theirs[1]) { // of archives by Windows they have modes of their own
		of = withoutModes
	}
	if len(theirs) == 0 || !slices.Equal(of(theirs[0]), of(theirs[len(theirs)-1])) {
		t.Logf("%s: unzip and bsdtar do not agree, or refuse it", name)
		return false
	}
	content, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	_, err = unpack(t, content, out, extract.Options{})
	diff := cmp.Diff(of(theirs[0]), of(tree(t, out)))
	reason, known := onPurpose()[name]
	switch {
	case known && err == nil && diff == "":
		t.Errorf("%s is no different any more (%s)", name, reason)
	case !known && err != nil:
		t.Errorf("%s: %v", name, err)
	case !known && diff != "":
		t.Errorf("%s: %s", name, diff)
	}
	return true
}

func withoutModes(lines []string) []string {
	var without []string
	for _, l := range lines {
		columns := strings.Split(l, "\t")
		without = append(without, strings.Join(slices.Delete(columns, 2, 3), "\t"))
	}
	return without
}

// byOthers unpacks with bsdtar and, what is a zip, with unzip. There are no trees if
// one of them refuses the archive.
func byOthers(t *testing.T, archive string) (trees [][]string) {
	t.Helper()
	commands := [][]string{{"bsdtar", "-x", "-f", archive, "-C"}}
	if strings.HasSuffix(archive, ".zip") {
		commands = append(commands, []string{"unzip", "-q", "-o", archive, "-d"})
	}
	for _, command := range commands {
		out := t.TempDir()
		cmd := exec.CommandContext(t.Context(), "sh", slices.Concat([]string{"-c", `umask 022; exec "$@"`, "sh"}, command, []string{out})...)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "UNZIP=", "ZIPINFO=")
		err := cmd.Run()
		warned := cmd.ProcessState.ExitCode() == 1 && command[0] == "unzip" // of something harmless
		if err != nil && !warned {
			return nil
		}
		trees = append(trees, tree(t, out))
	}
	return trees
}
