package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/cli"
)

func TestHelpIsPrinted(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--help"}, {}, {"fetch", "--help"}, {"fetch", "-h"}, {"job", "log", "--help"}, {"job", "--help"}} {
		var out, errs bytes.Buffer
		if code := command(t, append([]string{"artifetch"}, args...), cli.IO{Out: &out, Err: &errs}); code != 0 || errs.Len() > 0 || !strings.HasPrefix(out.String(), "artifetch ") || strings.Contains(out.String(), "\n\n\n") {
			t.Errorf("%q: code %d, %s%s", args, code, out.String(), errs.String())
		}
	}
}

func TestSuggestions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"fetch", "--jbo", "x"}, "no flag --jbo\n  did you mean --job?"},
		{[]string{"fetch", "--strip-component", "1"}, "did you mean --strip-components?"},
		{[]string{"fetch", "--stall-timout=1s"}, "did you mean --stall-timeout?"},
		{[]string{"job", "log", "--folow"}, "did you mean --follow? artifetch job log --help lists the flags"},
		{[]string{"fetch", "-Z"}, "no flag -Z\n"},
		{[]string{"fetch", "--retries", "x"}, "invalid value \"x\" for --retries: "},
		{[]string{"fetch", "--quiet=x"}, "invalid boolean value \"x\" for --quiet: "},
		{[]string{"fetch", "-j"}, "flag needs an argument: --job\n"},
		{[]string{"fetch", "--xyzzy"}, "no flag --xyzzy\n  artifetch fetch --help lists the flags"},
		{[]string{"--versin"}, "did you mean --version?"},
		{[]string{"fetsh"}, "did you mean fetch?"},
		{[]string{"1"}, "no command \"1\"\n  artifetch --help lists the commands"},
	}
	for _, tt := range tests {
		var errs bytes.Buffer
		if code := command(t, append([]string{"artifetch"}, tt.args...), cli.IO{Err: &errs}); code != 2 || !strings.Contains(errs.String(), tt.want) {
			t.Errorf("%q: code %d, %s; want %s", tt.args, code, errs.String(), tt.want)
		}
	}
}
