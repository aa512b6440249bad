package digest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/digest"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // FIPS 180-4's of nothing
	for _, tt := range []struct {
		text, want string
		ok         bool
	}{
		{empty, empty, true},
		{strings.ToUpper(empty), empty, true},
		{"", "", false},
		{empty[1:], "", false},
		{empty + "00", "", false},
		{"g" + empty[1:], "", false},
		{" " + empty[1:], "", false},
		{"sha256:" + empty, "", false},
	} {
		if got, ok := digest.Parse(tt.text); got != tt.want || ok != tt.ok {
			t.Errorf("%q: %q, %v", tt.text, got, ok)
		}
	}
	if got, err := digest.Sum(t.Context(), strings.NewReader("")); got != empty || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := digest.Sum(ctx, strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
