package manifest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/manifest"
)

// The error about an unknown key points to docs/sync.md, which has all keys.
func TestDocumentedKeys(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "docs", "sync.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "The keys of a source are named after the flags")
	list, _, _ = strings.Cut(list, "\n")
	for _, key := range manifest.Keys() {
		if key != "name" && !strings.Contains(list, "`"+key+"`") {
			t.Errorf("docs/sync.md lacks the key %s", key)
		}
	}
}
