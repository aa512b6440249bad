package resolve

import (
	"strings"
	"testing"
)

// A message names a few of many jobs, and says how many more there are.
func TestLabels(t *testing.T) {
	t.Parallel()
	many := make([]Artifact, 20_000)
	for i := range many {
		many[i].JobID = int64(i + 1)
	}
	for n, end := range map[int]string{0: "", 1: "job 1", 2: "job 1, job 2", 10: "job 9, job 10", 11: "job 10, and 1 more", 20_000: "job 10, and 19990 more"} {
		if got := Labels(many[:n]); !strings.HasSuffix(got, end) || len(got) > 100 {
			t.Errorf("%d: %s", n, got)
		}
	}
}
