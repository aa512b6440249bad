// Command release builds everything that a release consists of, in one directory:
//
//	build.go    the program for every platform
//	archive.go  tar.gz and zip archives
//	licences.go what the modules in the program ask to be handed on with it
//	package.go  deb, rpm and apk packages, by nfpm
//	version.go  what a version is called in each kind of package
//	sbom.go     what each program is made of, as CycloneDX
//	sums.go     checksums.txt
//	main.go     the order of it all
//
// The same source, Go and version give the same bytes, wherever and whenever it runs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	version   string
	build     []string // flags of go build
	out, nfpm string
	platforms []platform
	time      time.Time
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	o, err := parse(os.Args[1:], os.Getenv("SOURCE_DATE_EPOCH"))
	if err == nil {
		err = release(ctx, o)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// fileName is what a version may consist of: it is part of file names and addresses.
var fileName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+_-]*$`)

func parse(args []string, epoch string) (options, error) {
	var o options
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	flags.StringVar(&o.version, "version", "", "the version")
	flags.StringVar(&o.out, "out", "dist", "the directory to recreate")
	flags.StringVar(&o.nfpm, "nfpm", "", "the program nfpm; none makes no packages")
	names := flags.String("platforms", "all", "which platforms, as linux/amd64,…")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.build = flags.Args()
	if !fileName.MatchString(o.version) {
		return o, fmt.Errorf("the version %q cannot be part of a file name; set VERSION", o.version)
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil || seconds < 0 {
		return o, fmt.Errorf("SOURCE_DATE_EPOCH is %q; set it to the time of the release, in seconds since 1970 (of a commit: git log -1 --format=%%ct)", epoch)
	}
	o.time = time.Unix(seconds, 0).UTC()
	o.platforms, err = parsePlatforms(*names)
	return o, err
}

// release makes o.out.
func release(ctx context.Context, o options) error {
	if err := clear(o.out); err != nil {
		return err
	}
	for _, p := range o.platforms {
		if err := build(ctx, o, p); err != nil {
			return err
		}
	}
	common, err := commonFiles(ctx, o)
	if err != nil {
		return err
	}
	for _, p := range o.platforms {
		files := append([]file{{name: p.program(), from: o.binary(p), mode: 0o755}}, common...)
		if err := pack(o, p, files); err != nil {
			return err
		}
		if err := writeSBOM(o, p); err != nil {
			return err
		}
	}
	if o.nfpm != "" {
		if err := packages(ctx, o, common); err != nil {
			return err
		}
	}
	if err := o.copyFile("install.sh", filepath.Join(o.out, "install.sh"), 0o755); err != nil {
		return err
	}
	return writeSums(o)
}

// rootfsName is what release/rootfs.sh makes for the images.
const rootfsName = "rootfs"

// clear removes what an earlier run has made, and nothing that somebody else keeps.
func clear(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var old []string
	for _, e := range entries {
		switch path := filepath.Join(dir, e.Name()); {
		case e.Name() == "bin", e.Name() == "install.sh", e.Name() == sumsName, strings.HasPrefix(e.Name(), "artifetch_"):
			old = append(old, path)
		case e.Name() == rootfsName:
		default:
			return fmt.Errorf("%s is not part of a release; remove it, or choose another directory", path)
		}
	}
	for _, path := range old {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return os.MkdirAll(dir, 0o755)
}

// file is a file of an archive: its content, or where that is.
type file struct {
	name, from string
	content    []byte
	mode       os.FileMode
}

func (f file) read() ([]byte, error) {
	if f.from == "" {
		return f.content, nil
	}
	return os.ReadFile(f.from)
}

// shells are what the program prints completion scripts for, and what they are called.
var shells = []struct{ shell, name string }{
	{"bash", "completions/artifetch.bash"},
	{"fish", "completions/artifetch.fish"},
	{"powershell", "completions/artifetch.ps1"},
	{"zsh", "completions/_artifetch"},
}

// commonFiles are those that are the same on every platform.
func commonFiles(ctx context.Context, o options) ([]file, error) {
	others, err := licences(ctx, o)
	if err != nil {
		return nil, err
	}
	files := []file{
		{name: "LICENSE", from: "LICENSE", mode: 0o644},
		{name: "LICENSES.txt", content: others, mode: 0o644},
		{name: "README.md", from: "README.md", mode: 0o644},
		{name: "man/artifetch.1", from: "docs/artifetch.1", mode: 0o644},
	}
	program, done, err := hostProgram(ctx, o)
	if err != nil {
		return nil, err
	}
	defer done()
	for _, s := range shells {
		script, err := exec.CommandContext(ctx, program, "completion", s.shell).Output()
		if err != nil {
			return nil, fmt.Errorf("artifetch completion %s: %w", s.shell, err)
		}
		files = append(files, file{name: s.name, content: script, mode: 0o644})
	}
	return files, nil
}

// writeFile writes a file with the time of the release: images take it from there.
func (o options) writeFile(path string, content []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, content, mode); err != nil {
		return err
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		return err
	}
	return os.Chtimes(path, o.time, o.time)
}

func (o options) copyFile(from, to string, mode os.FileMode) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return o.writeFile(to, content, mode)
}
