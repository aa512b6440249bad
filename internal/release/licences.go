package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// licenceName matches the names of files that must be distributed with a program.
var licenceName = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// licences is the licences of all modules that any of the programs holds, as these ask
// for. Go's own library has that of golang.org/x/sys.
func licences(ctx context.Context, o options) ([]byte, error) {
	var modules []string
	for _, p := range o.platforms {
		info, err := buildinfo.ReadFile(o.binary(p))
		if err != nil {
			return nil, err
		}
		for _, dep := range info.Deps {
			modules = append(modules, dep.Path)
		}
	}
	slices.Sort(modules)
	list := exec.CommandContext(ctx, "go", append([]string{"list", "-m", "-f", "{{.Path}} {{.Version}}\t{{.Dir}}"}, slices.Compact(modules)...)...)
	list.Stderr = os.Stderr
	dirs, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("where the modules are: %w", err)
	}
	var b bytes.Buffer
	for line := range strings.Lines(string(dirs)) {
		module, dir, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if err := writeLicences(&b, module, dir); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

func writeLicences(b *bytes.Buffer, module, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := false
	for _, e := range entries {
		if e.IsDir() || !licenceName.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		found = true
		_, _ = fmt.Fprintf(b, "%s: %s\n\n%s\n\n%s\n\n", module, e.Name(), bytes.TrimSpace(text), strings.Repeat("-", 72))
	}
	if !found {
		return fmt.Errorf("%s has no licence in %s", module, dir)
	}
	return nil
}
