package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPackageVersions(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 8, 9, 10, 0, time.UTC)
	// As dpkg, rpm and apk sort them.
	for _, tt := range []struct{ version, deb, apk string }{
		{"dev", "0.0.0+git20261120080910.dev", "0.0.0_git20261120080910"},
		{"7e998c3", "0.0.0+git20261120080910.7e998c3", "0.0.0_git20261120080910"},
		{"7e998c3-dirty", "0.0.0+git20261120080910.7e998c3.dirty", "0.0.0_git20261120080910"},
		{"v1.2.0-alpha", "1.2.0~alpha", "1.2.0_alpha"},
		{"v1.2.0-next.4", "1.2.0~next.4", "1.2.0_pre"},
		{"v1.2.0-rc.1", "1.2.0~rc.1", "1.2.0_rc1"},
		{"v1.2.0-rc.1-3-gabc1234", "1.2.0~rc.1+3.gabc1234", "1.2.0_rc1_git3"},
		{"v1.2.0-rc-2", "1.2.0~rc.2", "1.2.0_rc2"},
		{"1.2.0", "1.2.0", "1.2.0"},
		{"v1.2.0", "1.2.0", "1.2.0"},
		{"v1.2.0-dirty", "1.2.0+dirty", "1.2.0"},
		{"v1.2.0-3-gabc1234", "1.2.0+3.gabc1234", "1.2.0_git3"},
		{"v1.2.0-3-gabc1234-dirty", "1.2.0+3.gabc1234+dirty", "1.2.0_git3"},
	} {
		if got := packageVersions(tt.version, at); got != (versions{tt.deb, tt.apk}) {
			t.Errorf("%s: %+v", tt.version, got)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args  string
		epoch string
		want  string
	}{
		{"", "1", "set VERSION"},
		{"-version release/1", "1", "set VERSION"},
		{"-version ../x", "1", "set VERSION"},
		{"-version v1", "", "SOURCE_DATE_EPOCH"},
		{"-version v1", "yesterday", "SOURCE_DATE_EPOCH"},
		{"-version v1 -platforms linux/vax", "1", `no platform "linux/vax"; there are [linux/amd64 `},
		{"-version v1 -platforms linux/arm,windows/arm64", "1", ""},
	} {
		o, err := parse(strings.Fields(tt.args), tt.epoch)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, %v", tt.args, o, err)
		}
	}
}

// A directory that somebody keeps things in is left alone.
func TestClear(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"bin/linux-amd64/artifetch", "artifetch_v1_linux_amd64.deb", "checksums.txt", "install.sh", "rootfs/x"} {
		if err := (options{}).writeFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := clear(dir); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 || left[0].Name() != rootfsName {
		t.Errorf("%v: %v", err, left)
	}
	if err := (options{}).writeFile(filepath.Join(dir, "bin/artifetch"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "letters"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := clear(dir); err == nil || !strings.Contains(err.Error(), "letters is not part of a release") {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "bin/artifetch")); err != nil {
		t.Error(err)
	}
}

// The order in which files are given is not that in which they are kept.
func TestArchiveOrder(t *testing.T) {
	t.Parallel()
	files := []file{{name: "b", content: []byte("b"), mode: 0o644}, {name: "a", content: []byte("a"), mode: 0o755}}
	var one, two, three, four bytes.Buffer
	at := time.Unix(1, 0)
	for _, err := range []error{tarball(&one, "d", at, files), zipball(&three, "d", at, files)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	files[0], files[1] = files[1], files[0]
	for _, err := range []error{tarball(&two, "d", at, files), zipball(&four, "d", at, files)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) || !bytes.Equal(three.Bytes(), four.Bytes()) {
		t.Error("the archives differ")
	}
}
