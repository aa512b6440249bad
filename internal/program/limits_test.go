package program

import (
	"bytes"
	"strings"
	"testing"
)

// A limit that the Go runtime can't work with is reported in plain words.
func TestEnoughOpenFiles(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]bool{3: false, 8: false, 11: false, 12: true, 20: true, 1 << 20: true} {
		var out bytes.Buffer
		if got := enough(limit, &out); got != want || want != (out.Len() == 0) || !want && !strings.Contains(out.String(), "ulimit -n") {
			t.Errorf("%d: %v: %s", limit, got, out.String())
		}
	}
}
