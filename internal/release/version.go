package main

import (
	"regexp"
	"strings"
	"time"
)

// described is what git describe prints: a tag, how many commits ago, which commit,
// and whether files have changed.
var described = regexp.MustCompile(`^v?(\d+\.\d+\.\d+)(?:-((?:[0-9A-Za-z.]+-)*?[0-9A-Za-z.]+))??(?:-(\d+)-g([0-9a-f]+))?(-dirty)?$`)

// preRelease is what apk knows of versions before a version.
var preRelease = regexp.MustCompile(`^(alpha|beta|pre|rc)[.-]?(\d*)$`)

// versions are the names of one version in packages. They sort as the versions do:
// 1.0.0-rc.1, 1.0.0, three commits later, 1.0.1.
type versions struct{ deb, apk string } // rpm takes that of deb

func packageVersions(version string, at time.Time) versions {
	m := described.FindStringSubmatch(version)
	if m == nil {
		// A commit without a tag: older than every release, and in the order of time.
		day := at.Format("20060102150405")
		return versions{deb: "0.0.0+git" + day + "." + clean(version), apk: "0.0.0_git" + day}
	}
	number, pre, commits, commit, dirty := m[1], m[2], m[3], m[4], m[5]
	v := versions{deb: number, apk: number}
	if pre != "" {
		v.deb += "~" + clean(pre)
		v.apk += "_" + apkPre(pre)
	}
	if commits != "" {
		v.deb += "+" + commits + ".g" + commit
		v.apk += "_git" + commits
	}
	if dirty != "" {
		v.deb += "+dirty"
	}
	return v
}

func apkPre(pre string) string {
	if m := preRelease.FindStringSubmatch(pre); m != nil {
		return m[1] + m[2]
	}
	return "pre"
}

// clean leaves out what parts a version from its revision.
func clean(s string) string { return strings.NewReplacer("-", ".", "_", ".").Replace(s) }
