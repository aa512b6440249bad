// Command sbom lists the modules of a program, as CycloneDX 1.6. GoReleaser calls it for
// every program of a release:
//
//	sbom -version v1.2.3 -time 1700000000 PROGRAM DOCUMENT
//
// It reads the list of modules that Go writes into every program: only those that are
// linked. The same program gives the same bytes.
package main

import (
	"cmp"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"time"
)

// bom is the part of CycloneDX 1.6 that is used. It has no serial number and no
// time, so that it is the same wherever it is made.
type bom struct {
	Schema       string       `json:"$schema"`
	Format       string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Ref        string     `json:"bom-ref"`
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Scope      string     `json:"scope,omitempty"`
	Licenses   []license  `json:"licenses,omitempty"`
	PURL       string     `json:"purl,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type license struct {
	License struct {
		ID string `json:"id"`
	} `json:"license"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("sbom", flag.ContinueOnError)
	version := flags.String("version", "", "the version of the program")
	at := flags.Int64("time", 0, "the time of the document, in seconds since 1970")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *version == "" || flags.NArg() != 2 {
		return errors.New("usage: sbom -version VERSION [-time SECONDS] PROGRAM DOCUMENT")
	}
	info, err := buildinfo.ReadFile(flags.Arg(0))
	if err != nil {
		return err
	}
	content, err := json.MarshalIndent(newBOM(info, *version), "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(flags.Arg(1), append(content, '\n'), 0o644); err != nil { //nolint:gosec // to be read
		return err
	}
	return os.Chtimes(flags.Arg(1), time.Time{}, time.Unix(*at, 0))
}

func newBOM(info *debug.BuildInfo, version string) bom {
	own := component{Type: "application", Name: "artifetch", Version: version, PURL: purl(info.Main.Path, version)}
	own.Ref = own.PURL
	own.Licenses = make([]license, 1)
	own.Licenses[0].License.ID = "MIT"
	for _, s := range info.Settings {
		if s.Key == "GOOS" || s.Key == "GOARCH" || s.Key == "CGO_ENABLED" {
			own.Properties = append(own.Properties, property{"cdx:gomod:build:env:" + s.Key, s.Value})
		}
	}
	std := component{Type: "library", Name: "std", Version: info.GoVersion, Scope: "required", PURL: purl("std", info.GoVersion)}
	std.Ref = std.PURL
	list := []component{std}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c := component{Type: "library", Name: m.Path, Version: m.Version, Scope: "required", PURL: purl(m.Path, m.Version)}
		c.Ref = c.PURL
		if m.Sum != "" {
			c.Properties = []property{{"artifetch:go.sum", m.Sum}}
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b component) int { return cmp.Compare(a.Ref, b.Ref) })
	all := dependency{Ref: own.Ref}
	for _, c := range list {
		all.DependsOn = append(all.DependsOn, c.Ref)
	}
	return bom{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", Format: "CycloneDX", SpecVersion: "1.6", Version: 1,
		Metadata: metadata{own}, Components: list, Dependencies: []dependency{all},
	}
}

// purl is the address of a Go module among packages.
func purl(path, version string) string { return fmt.Sprintf("pkg:golang/%s@%s", path, version) }
