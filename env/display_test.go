package env_test

import (
	"testing"

	"github.com/sethvargo/go-envconfig"

	"gitlab.com/artifetch/artifetch/env"
)

func TestColours(t *testing.T) {
	t.Parallel()
	type vars map[string]string
	for _, tt := range []struct {
		name           string
		vars           vars
		terminal, file bool // whether messages there have colours
	}{
		{"nothing said", vars{}, true, false},
		{"a usual terminal", vars{"TERM": "xterm-256color"}, true, false},
		{"NO_COLOR", vars{"NO_COLOR": "1"}, false, false},
		{"empty NO_COLOR", vars{"NO_COLOR": ""}, true, false},
		{"a terminal without colours", vars{"TERM": "dumb"}, false, false},
		{"forced", vars{"CLICOLOR_FORCE": "1"}, true, true},
		{"forced off", vars{"CLICOLOR_FORCE": "0"}, true, false},
		{"forced on a terminal without colours", vars{"CLICOLOR_FORCE": "1", "TERM": "dumb"}, true, true},
		{"forced, and not wanted", vars{"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, false, false},
		{"a job log", vars{"GITLAB_CI": "true", "TERM": "dumb"}, true, true},
		{"a job log, and not wanted", vars{"GITLAB_CI": "true", "NO_COLOR": "1"}, false, false},
	} {
		d := env.ReadDisplay(envconfig.MapLookuper(tt.vars))
		if d.Coloured(true) != tt.terminal || d.Coloured(false) != tt.file {
			t.Errorf("%s: on a terminal %v, elsewhere %v", tt.name, d.Coloured(true), d.Coloured(false))
		}
	}
}
