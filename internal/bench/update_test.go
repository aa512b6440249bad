//go:build linux

package main

import (
	"slices"
	"testing"
)

// Sections are replaced in place; the text around them stays.
func TestReplaceSections(t *testing.T) {
	t.Parallel()
	page := "# Page\n\ntext\n\n### A (1)\n\nold\n\n### A\n\nold\n\n## Next\n\ntext\n\n### B\n\nold\n"
	got, missing := replaceSections(page, "\n### A\n\nnew a\n\n### C\n\nnew c\n\n### B\n\nnew b\n")
	want := "# Page\n\ntext\n\n### A (1)\n\nold\n\n### A\n\nnew a\n\n## Next\n\ntext\n\n### B\n\nnew b\n"
	if got != want || !slices.Equal(missing, []string{"C"}) {
		t.Errorf("missing %q, page:\n%s", missing, got)
	}
}
