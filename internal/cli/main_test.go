package cli_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// What the job that runs the tests has in its environment is not what they are about.
func TestMain(m *testing.M) {
	ours := regexp.MustCompile(`^(CI_|GITLAB_|ARTIFETCH_)`)
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); ours.MatchString(name) {
			if err := os.Unsetenv(name); err != nil {
				panic(err)
			}
		}
	}
	os.Exit(m.Run())
}
