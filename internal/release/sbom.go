package main

import (
	"cmp"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"
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

// writeSBOM writes what the program of p is made of. The program itself is asked:
// Go writes the modules that it linked into it, and no others.
func writeSBOM(o options, p platform) error {
	info, err := buildinfo.ReadFile(o.binary(p))
	if err != nil {
		return err
	}
	content, err := json.MarshalIndent(newBOM(info, o, p), "", "  ")
	if err != nil {
		return err
	}
	return o.writeFile(filepath.Join(o.out, o.name(p)+".cdx.json"), append(content, '\n'), 0o644)
}

func newBOM(info *debug.BuildInfo, o options, p platform) bom {
	own := component{Type: "application", Name: "artifetch", Version: o.version, PURL: purl(info.Main.Path, o.version)}
	own.Ref = own.PURL
	own.Licenses = make([]license, 1)
	own.Licenses[0].License.ID = "MIT"
	own.Properties = []property{{"cdx:gomod:build:env:GOOS", p.os}, {"cdx:gomod:build:env:GOARCH", p.arch}, {"cdx:gomod:build:env:CGO_ENABLED", "0"}}
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
