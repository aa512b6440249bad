package cli

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/console"
)

// screenLines and screenColumns are what fits a window of a usual size.
const screenLines, screenColumns = 60, 100

func TestHelpFitsAScreen(t *testing.T) {
	t.Parallel()
	app := newApp(console.New(nil, nil, nil))
	pages := map[string]string{"artifetch": help.Page(app)}
	for _, c := range app.Commands {
		pages["artifetch "+c.Name] = help.Page(c)
		for _, sub := range c.Subcommands {
			pages["artifetch "+c.Name+" "+sub.Name] = help.Page(sub)
		}
	}
	for name, page := range pages {
		if n := strings.Count(page, "\n"); n > screenLines {
			t.Errorf("%s --help has %d lines", name, n)
		}
		for line := range strings.Lines(page) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > screenColumns {
				t.Errorf("%s --help has a line of %d characters: %s", name, n, line)
			}
		}
	}
}

// Every flag of every command is in its help, whatever its category.
func TestHelpHasEveryFlag(t *testing.T) {
	t.Parallel()
	app := newApp(console.New(nil, nil, nil))
	check := func(page string, flags []cli.Flag) {
		for _, f := range flags {
			if name := f.Names()[0]; name != "help" && !strings.Contains(page, "--"+name) {
				t.Errorf("--%s is not in:\n%s", name, page)
			}
		}
	}
	check(help.Page(app), app.Flags)
	for _, c := range app.Commands {
		check(help.Page(c), c.Flags)
		for _, sub := range c.Subcommands {
			check(help.Page(sub), sub.Flags)
		}
	}
}
