package delivery

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// preset is what channels/renovate.json has: https://docs.renovatebot.com/modules/manager/regex/
type preset struct {
	CustomDatasources map[string]struct {
		DefaultRegistryURLTemplate string
		Format                     string
	}
	CustomManagers []struct {
		ManagerFilePatterns    []string
		MatchStrings           []string
		DatasourceTemplate     string
		ExtractVersionTemplate string
	}
}

func readPreset(t *testing.T) (p preset) {
	t.Helper()
	if err := json.Unmarshal([]byte(harness.Read(t, "channels/renovate.json")), &p); err != nil || len(p.CustomManagers) != 2 {
		t.Fatalf("%v: %+v", err, p)
	}
	return p
}

// found is what an expression finds in a text, by the names of its groups. Renovate uses
// RE2, as Go does.
func found(expression, text string) (all []map[string]string) {
	re := regexp.MustCompile(expression)
	for _, match := range re.FindAllStringSubmatch(text, -1) {
		groups := map[string]string{}
		for i, name := range re.SubexpNames() {
			groups[name] = match[i]
		}
		all = append(all, groups)
	}
	return all
}

// Renovate finds every pinned address in the pages, with its version and its digest.
func TestRenovateFindsPins(t *testing.T) {
	t.Parallel()
	pages, err := fs.Glob(os.DirFS(harness.Root), "docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	manager := readPreset(t).CustomManagers[0]
	pin := regexp.MustCompile(`(?:checksums-sha256|ARTIFETCH_CHECKSUMS_SHA256): *\S`)
	blocks := 0
	for _, b := range docBlocks(t, append(pages, "README.md")...) {
		want := len(pin.FindAllString(b.text, -1))
		if b.lang != "yaml" || want == 0 {
			continue
		}
		blocks++
		var got []map[string]string
		for _, expression := range manager.MatchStrings {
			got = append(got, found(expression, b.text)...)
		}
		if len(got) != want {
			t.Errorf("%s:%d: %d of %d pins are found", b.file, b.line, len(got), want)
		}
		for _, groups := range got {
			if !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(groups["currentValue"]) || len(groups["currentDigest"]) != 64 {
				t.Errorf("%s:%d: %v", b.file, b.line, groups)
			}
		}
	}
	if blocks < 3 {
		t.Errorf("%d blocks", blocks)
	}
	for _, other := range []string{"url: https://gitlab.com/a/other/-/releases/v1.0.0/downloads\nchecksums-sha256: " + strings.Repeat("0", 64)} {
		for _, expression := range manager.MatchStrings {
			if got := found(expression, other); len(got) > 0 {
				t.Errorf("%q is found in %q", expression, other)
			}
		}
	}
}

// The preset finds images that are inputs, and leaves those of jobs to Renovate itself;
// its files are those that have pipelines; versions lose the v that addresses don't have.
func TestRenovatePreset(t *testing.T) {
	t.Parallel()
	p := readPreset(t)
	image := p.CustomManagers[1].MatchStrings[0]
	const name = "registry.gitlab.com/artifetch/artifetch"
	digest := "sha256:" + strings.Repeat("0", 64)
	for text, want := range map[string]map[string]string{
		"inputs:\n      job-name: app\n      image: " + name + ":v1.0.0-shell\n":                    {"depName": name, "currentValue": "v1.0.0-shell", "currentDigest": ""},
		"inputs:\n      image: \"" + name + ":v1.0.0-shell@" + digest + "\"\n":                      {"depName": name, "currentValue": "v1.0.0-shell", "currentDigest": digest},
		"job:\n  image: " + name + ":v1.0.0-shell\n":                                                nil,
		"inputs:\n      image: registry.gitlab.com/other/artifetch:v1.0.0-shell\n":                  nil,
		"inputs:\n      job-name: app\nother:\n  script: x\n\njob:\n  image: " + name + ":v1.0.0\n": nil,
	} {
		got := found(image, text)
		if len(got) != len(want)/3 {
			t.Errorf("%q: %v", text, got)
			continue
		}
		for key, value := range want {
			if got[0][key] != value {
				t.Errorf("%q: %s is %q, want %q", text, key, got[0][key], value)
			}
		}
	}
	for _, m := range p.CustomManagers {
		pattern := regexp.MustCompile(strings.Trim(m.ManagerFilePatterns[0], "/"))
		if !pattern.MatchString(".gitlab-ci.yml") || !pattern.MatchString("ci/build.yaml") || pattern.MatchString("README.md") {
			t.Errorf("files are %s", pattern)
		}
	}
	source, custom := strings.CutPrefix(p.CustomManagers[0].DatasourceTemplate, "custom.")
	index := p.CustomDatasources[source]
	if !custom || index.Format != "json" || !strings.HasSuffix(index.DefaultRegistryURLTemplate, "/release.json") {
		t.Errorf("%q: %+v", source, index)
	}
	if got := found(p.CustomManagers[0].ExtractVersionTemplate, "v1.10.0"); got[0]["version"] != "1.10.0" {
		t.Errorf("the version is %v", got)
	}
}

// What aqua makes of its entry are the archives of GoReleaser, with the program in them.
func TestAqua(t *testing.T) {
	t.Parallel()
	var registry struct {
		Packages []struct {
			Type, Asset, Format string
			Files               []struct{ Name, Src string }
			Overrides           []struct{ Goos, Format string }
		}
	}
	if err := yaml.Unmarshal([]byte(harness.Read(t, "channels/aqua.yaml")), &registry); err != nil || len(registry.Packages) != 1 {
		t.Fatalf("%v: %+v", err, registry)
	}
	var config struct {
		Archives []struct {
			Name            string `yaml:"name_template"`
			WrapInDirectory bool   `yaml:"wrap_in_directory"`
			Formats         []string
			FormatOverrides []struct {
				Goos    string
				Formats []string
			} `yaml:"format_overrides"`
		}
	}
	if err := yaml.Unmarshal([]byte(harness.Read(t, ".goreleaser.yaml")), &config); err != nil || len(config.Archives) != 1 {
		t.Fatalf("%v: %+v", err, config)
	}
	p, a := registry.Packages[0], config.Archives[0]
	render := strings.NewReplacer("{{.Version}}", "V", "{{.OS}}", "O", "{{.Arch}}", "A", "{{.Format}}", p.Format)
	released := strings.NewReplacer("{{ .Env.VERSION }}", "V", "{{ .Os }}", "O", "{{ .Arch }}", "A").Replace(a.Name)
	if got, want := render.Replace(p.Asset), released+"."+a.Formats[0]; got != want {
		t.Errorf("aqua looks for %s, which is %s", got, want)
	}
	if len(p.Overrides) != 1 || p.Overrides[0].Goos != a.FormatOverrides[0].Goos || p.Overrides[0].Format != a.FormatOverrides[0].Formats[0] {
		t.Errorf("%+v, %+v", p.Overrides, a.FormatOverrides)
	}
	if !a.WrapInDirectory || p.Files[0].Src != "{{.AssetWithoutExt}}/"+p.Files[0].Name {
		t.Errorf("%+v in %+v", p.Files, a)
	}
}

// The formula for Homebrew has the address and the digest of each archive, or isn't
// printed.
func TestFormula(t *testing.T) {
	t.Parallel()
	systems := []string{"darwin_arm64", "darwin_amd64", "linux_arm64", "linux_amd64"}
	checksums := filepath.Join(t.TempDir(), "checksums.txt")
	render := func(version string, systems []string) (string, error) {
		t.Helper()
		var lines strings.Builder
		for _, system := range append(systems, "linux_riscv64") {
			_, _ = fmt.Fprintf(&lines, "%x  artifetch_%s_%s.tar.gz\n", sha256.Sum256([]byte(system)), version, system)
		}
		if err := os.WriteFile(checksums, []byte(lines.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return script(t, harness.Root, []string{"VERSION=" + version, "CI_PROJECT_URL=https://gitlab.example.com/group/artifetch"}, "release/formula.sh", checksums)
	}
	text, err := render("v1.2.3-rc1", systems)
	if err != nil || !strings.HasPrefix(text, "class Artifetch < Formula\n") || !strings.Contains(text, `version "1.2.3-rc1"`) || strings.Contains(text, "@") {
		t.Errorf("%v: %s", err, text)
	}
	for _, system := range systems {
		want := fmt.Sprintf("url \"https://gitlab.example.com/group/artifetch/-/releases/v1.2.3-rc1/downloads/artifetch_v1.2.3-rc1_%s.tar.gz\"\n      sha256 \"%x\"\n", system, sha256.Sum256([]byte(system)))
		if strings.Count(text, want) != 1 {
			t.Errorf("no %s in:\n%s", want, text)
		}
	}
	for _, less := range [][]string{systems[:3], nil} {
		if out, err := render("v1.2.3", less); err == nil || !strings.Contains(out, "which has no digest in") {
			t.Errorf("%v: %s", err, out)
		}
	}
}

// Every way to install it is on the page, and names the version that components name.
func TestChannelsPage(t *testing.T) {
	t.Parallel()
	page, component := harness.Read(t, "docs/channels.md"), harness.Read(t, "templates/fetch.yml")
	version := regexp.MustCompile(`default: registry\.gitlab\.com/artifetch/artifetch:(v\S+)-shell\n`).FindStringSubmatch(component)
	if version == nil {
		t.Fatal("templates/fetch.yml has no image of its release")
	}
	for _, other := range regexp.MustCompile(`v\d+\.\d+\.\d+`).FindAllString(page, -1) {
		if other != version[1] {
			t.Errorf("docs/channels.md names %s, the component %s", other, version[1])
		}
	}
	for file, want := range map[string]string{"docs/channels.md": "@" + version[1][1:] + "'", "channels/mise.toml": `= "` + version[1][1:] + `"`} {
		if !strings.Contains(harness.Read(t, file), want) {
			t.Errorf("%s has no %s", file, want)
		}
	}
	if !strings.Contains(harness.Read(t, "templates/sync.yml"), version[0]) {
		t.Errorf("templates/sync.yml has another image than %s", version[0])
	}
	if changelog := regexp.MustCompile(`(?m)^## (v\S+)`).FindStringSubmatch(harness.Read(t, "CHANGELOG.md")); changelog != nil && changelog[1] != version[1] {
		t.Errorf("CHANGELOG.md has %s, the component %s", changelog[1], version[1])
	}
}
