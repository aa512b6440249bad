package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// packages makes the packages of every Linux platform.
func packages(ctx context.Context, o options, common []file) error {
	stage, err := os.MkdirTemp("", "artifetch-release-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(stage) }()
	if err := stageCommon(o, stage, common); err != nil {
		return err
	}
	for _, p := range o.platforms {
		if p.os != "linux" {
			continue
		}
		for _, kind := range []string{"deb", "rpm", "apk"} {
			if err := makePackage(ctx, o, p, kind, stage); err != nil {
				return err
			}
		}
	}
	return nil
}

// stageCommon lays out what release/nfpm.yaml takes.
func stageCommon(o options, stage string, common []file) error {
	for _, f := range common {
		content, err := f.read()
		if err != nil {
			return err
		}
		if f.name == "man/artifetch.1" {
			f.name += ".gz"
			if content, err = gzipped(content); err != nil {
				return err
			}
		}
		if err := o.writeFile(filepath.Join(stage, f.name), content, f.mode); err != nil {
			return err
		}
	}
	return nil
}

func makePackage(ctx context.Context, o options, p platform, kind, stage string) error {
	version, arch := packageVersions(o.version, o.time), p.arch
	name := version.deb
	if kind == "apk" {
		name = version.apk
	}
	if arch == "arm" {
		arch = "arm7"
	}
	to := filepath.Join(o.out, o.name(p)+"."+kind)
	cmd := exec.CommandContext(ctx, o.nfpm, "package", "--config", "release/nfpm.yaml", "--packager", kind, "--target", to)
	cmd.Env = append(os.Environ(), "STAGE="+stage, "BINARY="+o.binary(p), "PACKAGE_VERSION="+name, "PACKAGE_ARCH="+arch,
		fmt.Sprintf("SOURCE_DATE_EPOCH=%d", o.time.Unix()))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("nfpm %s for %s: %w: %s", kind, p, err, out)
	}
	return os.Chmod(to, 0o644)
}
