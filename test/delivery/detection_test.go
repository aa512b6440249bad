package delivery

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// target is what a release has an archive for.
type target struct{ os, arch string }

// archive is its name.
func (p target) archive() string {
	if p.os == "windows" {
		return "artifetch_v1.2.3_" + p.os + "_" + p.arch + ".zip"
	}
	return "artifetch_v1.2.3_" + p.os + "_" + p.arch + ".tar.gz"
}

// released are the names of all files of the release v1.2.3, as .goreleaser.yaml makes
// them, and the targets.
func released(t *testing.T) (names []string, targets []target) {
	t.Helper()
	var config struct {
		Builds   []struct{ Targets []string }
		Archives []struct {
			Name string `yaml:"name_template"`
		}
		Nfpms []struct {
			Name    string `yaml:"file_name_template"`
			Formats []string
		}
		Sboms  []struct{ Documents []string }
		Source struct {
			Name string `yaml:"name_template"`
		}
		Checksum struct {
			Name string `yaml:"name_template"`
		}
		Signs []struct{ Signature string }
	}
	if err := yaml.Unmarshal([]byte(harness.Read(t, ".goreleaser.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	render := func(name string, p target) string {
		return strings.NewReplacer("{{ .Env.VERSION }}", "v1.2.3", "{{ .Os }}", p.os, "{{ .Arch }}", p.arch, "${artifact}", config.Checksum.Name).Replace(name)
	}
	names = []string{"install.sh", "install.ps1", config.Checksum.Name, render(config.Source.Name, target{}) + ".tar.gz"}
	for _, sign := range config.Signs {
		names = append(names, render(sign.Signature, target{}))
	}
	for _, one := range config.Builds[0].Targets {
		part := strings.Split(one, "_")
		p := target{part[0], part[1]}
		targets = append(targets, p)
		ending := strings.TrimPrefix(p.archive(), "artifetch_v1.2.3_"+p.os+"_"+p.arch)
		names = append(names, render(config.Archives[0].Name, p)+ending, render(config.Sboms[0].Documents[0], p))
		for _, format := range config.Nfpms[0].Formats {
			if p.os == "linux" {
				names = append(names, render(config.Nfpms[0].Name, p)+"."+format)
			}
		}
	}
	return names, targets
}

// words are those by which ubi and mise recognize a system or an architecture, between
// anything that isn't a letter or a digit:
//
//	https://github.com/houseabsolute/ubi, ubi/src/os.rs and arch.rs
//	https://github.com/jdx/mise, src/backend/asset_matcher.rs
var words = map[string]*regexp.Regexp{
	"linux": word(`linux`), "darwin": word(`darwin|mac(?:osx?)?|osx`), "windows": word(`win(?:32|64|dows)?`),
	"amd64": word(`x86[_-]64|x64|amd64`), "arm64": word(`aarch_?64|arm_?64`), "arm": word(`arm(?:v[0-7])?`),
	"riscv64": word(`riscv_?64`), "ppc64le": word(`(?:ppc|powerpc)_?64(?:el|le)`), "s390x": word(`s390x?`),
}

func word(aliases string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:\b|_)(?:` + aliases + `)(?:\b|_)`)
}

// byUbi chooses as ubi does: of files with an ending that it can unpack or run, those of
// the system and the architecture.
func byUbi(names []string, p target) (found []string) {
	for _, name := range names {
		known := regexp.MustCompile(`\.(tar\.gz|zip|sh)$`).MatchString(name) || !strings.Contains(name, ".")
		if known && words[p.os].MatchString(name) && words[p.arch].MatchString(name) {
			found = append(found, name)
		}
	}
	return found
}

// byMise chooses as mise does: the best of all that is neither a package nor for another
// architecture.
func byMise(names []string, p target) (found []string) {
	best := 0
	for _, name := range names {
		score := 0
		for word, points := range map[string]int{"linux": -100, "darwin": -100, "windows": -100, "amd64": -1000, "arm64": -1000, "arm": -1000, "riscv64": -1000} {
			if words[word].MatchString(name) && word != p.os && word != p.arch {
				score += points
			}
		}
		for word, points := range map[string]int{p.os: 100, p.arch: 50} {
			if words[word].MatchString(name) {
				score += points
			}
		}
		switch {
		case regexp.MustCompile(`\.(deb|rpm|apk)(\.|$)`).MatchString(name):
			continue
		case regexp.MustCompile(`\.(json|txt)$`).MatchString(name):
			score -= 100
		case regexp.MustCompile(`\.(tar\.gz|zip)$`).MatchString(name):
			score += 10
		}
		if score > best {
			best, found = score, nil
		}
		if score == best && score > 0 {
			found = append(found, name)
		}
	}
	return found
}

// The names of a release's files are such that ubi and mise find the archive of each
// platform, that one alone, whatever the order is.
func TestDetection(t *testing.T) {
	t.Parallel()
	names, targets := released(t)
	if len(targets) != 10 {
		t.Fatalf("%d targets", len(targets))
	}
	for _, p := range targets {
		if got := byUbi(names, p); !slices.Equal(got, []string{p.archive()}) {
			t.Errorf("on %s, ubi finds %q", p, got)
		}
		if p.arch == "ppc64le" || p.arch == "s390x" {
			continue // there is no mise for them
		}
		if got := byMise(names, p); !slices.Equal(got, []string{p.archive()}) {
			t.Errorf("on %s, mise finds %q", p, got)
		}
	}
}
