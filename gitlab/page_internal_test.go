package gitlab

import "testing"

// A list of few rows that are very long ends, too.
func TestListBytes(t *testing.T) {
	t.Parallel()
	var read progress
	for read.over() == "" {
		read.page(maxBody, true)
	}
	if read.pages != maxListBytes/maxBody {
		t.Errorf("%d pages of %d bytes", read.pages, maxBody)
	}
}
