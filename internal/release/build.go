package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// platform is what a program runs on.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

// program is what the program is called there.
func (p platform) program() string {
	if p.os == "windows" {
		return "artifetch.exe"
	}
	return "artifetch"
}

var platforms = []platform{
	{"linux", "amd64"}, {"linux", "arm64"}, {"linux", "arm"}, {"linux", "ppc64le"}, {"linux", "s390x"}, {"linux", "riscv64"},
	{"darwin", "amd64"}, {"darwin", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

func parsePlatforms(names string) ([]platform, error) {
	if names == "all" {
		return platforms, nil
	}
	var chosen []platform
	for name := range strings.SplitSeq(names, ",") {
		at := slices.IndexFunc(platforms, func(p platform) bool { return p.String() == name })
		if at < 0 {
			return nil, fmt.Errorf("no platform %q; there are %v", name, platforms)
		}
		chosen = append(chosen, platforms[at])
	}
	return chosen, nil
}

// name is what the files of a platform are called, without the ending.
func (o options) name(p platform) string {
	return fmt.Sprintf("artifetch_%s_%s_%s", o.version, p.os, p.arch)
}

// binary is where the plain program lies. Dockerfile knows the same path.
func (o options) binary(p platform) string {
	return filepath.Join(o.out, "bin", p.os+"-"+p.arch, p.program())
}

// variant is all of the environment that decides what the compiler makes. The least
// of each architecture is taken, except for 32-bit ARM, where 7 is what Debian has.
var variant = []string{
	"CGO_ENABLED=0", "GOFLAGS=", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off",
	"GOAMD64=v1", "GOARM64=v8.0", "GOARM=7", "GOPPC64=power8", "GORISCV64=rva20u64",
}

// build builds the program for p.
func build(ctx context.Context, o options, p platform) error {
	fmt.Println(p)
	to := o.binary(p)
	if err := compile(ctx, o, p, to); err != nil {
		return err
	}
	if err := os.Chmod(to, 0o755); err != nil {
		return err
	}
	return os.Chtimes(to, o.time, o.time)
}

func compile(ctx context.Context, o options, p platform, to string) error {
	cmd := exec.CommandContext(ctx, "go", slices.Concat([]string{"build"}, o.build, []string{"-o", to, "."})...)
	cmd.Env = append(os.Environ(), append(variant, "GOOS="+p.os, "GOARCH="+p.arch)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building for %s: %w", p, err)
	}
	return nil
}

// hostProgram is the program for this machine; done removes it where it is not part
// of the release.
func hostProgram(ctx context.Context, o options) (path string, done func(), err error) {
	host := platform{runtime.GOOS, runtime.GOARCH}
	if slices.Contains(o.platforms, host) {
		path, err = filepath.Abs(o.binary(host))
		return path, func() {}, err
	}
	dir, err := os.MkdirTemp("", "artifetch-release-*")
	if err != nil {
		return "", nil, err
	}
	done = func() { _ = os.RemoveAll(dir) }
	path = filepath.Join(dir, host.program())
	if err := compile(ctx, o, host, path); err != nil {
		done()
		return "", nil, err
	}
	return path, done, nil
}
