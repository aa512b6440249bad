package similar_test

import (
	"slices"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/similar"
)

func TestNames(t *testing.T) {
	t.Parallel()
	names := []string{"build", "build: [linux, amd64]", "test 1/3", "test 2/3", "deploy", "build", "strip-components", "j", "löschen", "log", "cat"}
	for name, want := range map[string][]string{
		"biuld":           {"build"},
		"Build":           {"build", "build: [linux, amd64]"},
		"bild":            {"build"},
		"test":            {"test 1/3", "test 2/3"},
		"strip-component": {"strip-components"},
		"strip-cmopnetns": {"strip-components"}, // a third of it may differ
		"loschen":         {"löschen"},
		"strip":           {"strip-components"}, // it begins with it
		"nothing like it": nil,
		"lgo":             {"log"},
		"lag":             {"log"},
		"man":             nil, // one letter is the same as in cat
		"x":               nil, // nothing of it is left
		"b":               nil, // too little to begin with
		"":                nil,
	} {
		if got := similar.Names(name, names, 3); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := similar.Names("test", names, 1); !slices.Equal(got, []string{"test 1/3"}) {
		t.Errorf("at most one: %q", got)
	}
}
