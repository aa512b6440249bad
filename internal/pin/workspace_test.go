package pin

import "testing"

func TestSameMode(t *testing.T) {
	t.Parallel()
	for _, goos := range []string{"linux", "darwin", "windows"} {
		if !sameMode(goos, 0o644, "0644") || sameMode(goos, 0o666, "0644") != (goos == "windows") {
			t.Error(goos)
		}
	}
}
