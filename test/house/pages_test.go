package house

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
)

// readmeMost is how long README.md may be, in lines: what is longer belongs to docs/.
const readmeMost = 200

var (
	linked  = regexp.MustCompile(`\]\(([^)#:\s]*)(#[^)\s]*)?\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notKept = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors are those of a page, as GitLab and GitHub make them of its headings.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(text, -1) {
		all["#"+strings.ReplaceAll(notKept.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")] = true
	}
	return all
}

// Links between pages lead somewhere, each page of docs/ is in its index, and README.md is
// short.
func TestPages(t *testing.T) {
	t.Parallel()
	texts := pages(t)
	for page, text := range texts {
		for _, link := range linked.FindAllStringSubmatch(text, -1) {
			target := page
			if link[1] != "" {
				target = path.Join(path.Dir(page), link[1])
			}
			if _, err := fs.Stat(root, target); err != nil {
				t.Errorf("%s links to %s, which doesn't exist", page, target)
			} else if other, known := texts[target]; known && link[2] != "" && !anchors(other)[link[2]] {
				t.Errorf("%s links to %s%s, but %s has no such heading", page, target, link[2], target)
			}
		}
	}
	for page := range texts {
		if name, ok := strings.CutPrefix(page, "docs/"); ok && name != "README.md" && !strings.Contains(texts["docs/README.md"], "("+name+")") {
			t.Errorf("docs/README.md doesn't list %s", name)
		}
	}
	if n := strings.Count(texts["README.md"], "\n"); n > readmeMost {
		t.Errorf("README.md has %d lines", n)
	}
}
