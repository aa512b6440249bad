package cli_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/cli"
)

// Tests must not depend on the environment of the job that runs them.
func TestMain(m *testing.M) {
	ours := regexp.MustCompile(`^(CI_|GITLAB_|ARTIFETCH_)`)
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); ours.MatchString(name) {
			if err := os.Unsetenv(name); err != nil {
				panic(err)
			}
		}
	}
	cache, err := os.MkdirTemp("", "artifetch-cache-") // completion keeps answers here
	if err != nil {
		panic(err)
	}
	if err := os.Setenv("XDG_CACHE_HOME", cache); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(cache)
	os.Exit(code)
}

// command runs a command line.
func command(t *testing.T, args []string, out cli.IO) int {
	t.Helper()
	cli.OneAtATime.Lock()
	defer cli.OneAtATime.Unlock()
	return cli.Run(t.Context(), args, out)
}
