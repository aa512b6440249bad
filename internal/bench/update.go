//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
)

// update replaces a page's sections that the report contains, by their headings. The rest
// of the page stays. The error names sections that the page doesn't have.
func update(page, report string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	updated, missing := replaceSections(string(text), report)
	if err := os.WriteFile(page, []byte(updated), 0o644); err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s has no sections %q", page, missing)
	}
	return nil
}

// replaceSections returns the page with the report's sections, and the headings that it
// doesn't have.
func replaceSections(page, report string) (updated string, missing []string) {
	for _, section := range strings.Split("\n"+report, "\n### ")[1:] {
		heading, _, _ := strings.Cut(section, "\n")
		start := strings.Index(page, "\n### "+heading+"\n")
		if start < 0 {
			missing = append(missing, heading)
			continue
		}
		rest := page[start+1:]
		end := len(rest)
		if next := strings.Index(rest, "\n##"); next >= 0 {
			end = next
		}
		page = page[:start] + "\n### " + strings.TrimRight(section, "\n") + "\n" + rest[end:]
	}
	return page, missing
}
