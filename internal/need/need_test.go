package need_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/need"
)

// recorded is a test whose end is recorded.
type recorded struct {
	testing.TB
	end string
}

func (*recorded) Helper() {}

func (r *recorded) Skipf(format string, args ...any) {
	r.end = "skipped: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *recorded) Fatalf(format string, args ...any) {
	r.end = "failed: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// A missing program skips a test, but in CI it fails it.
func TestMissingPrograms(t *testing.T) {
	const missing = "artifetch-no-such-program"
	for _, ci := range []string{"", "true"} {
		t.Setenv("CI", ci)
		for name, test := range map[string]struct {
			run  func(*recorded)
			want map[string]string // by CI
		}{
			"one is there": {func(r *recorded) { need.Tools(r, "go") }, map[string]string{}},
			"one is missing": {func(r *recorded) { need.Tools(r, "go", missing) }, map[string]string{
				"":     `skipped: exec: "artifetch-no-such-program": executable file not found in $PATH: .ci/tools installs it`,
				"true": `failed: exec: "artifetch-no-such-program": executable file not found in $PATH: .ci/tools installs it`,
			}},
			"some are missing": {func(r *recorded) {
				if got := need.Missing(r, "go", missing); !slices.Equal(got, []string{missing}) {
					t.Errorf("missing: %q", got)
				}
			}, map[string]string{"true": `failed: ["artifetch-no-such-program"] are not installed: .ci/tools must install them`}},
			"a reason": {func(r *recorded) { need.Skipf(r, "no %s", "x") }, map[string]string{"": "skipped: no x", "true": "failed: no x"}},
		} {
			r := &recorded{}
			done := make(chan struct{})
			go func() { defer close(done); test.run(r) }()
			<-done
			if r.end != test.want[ci] {
				t.Errorf("%s, CI=%q: %q, want %q", name, ci, r.end, test.want[ci])
			}
		}
	}
}
