package cli

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/console"
)

// screenLines and screenColumns are the size of a usual terminal window.
const screenLines, screenColumns = 40, 80

// pages are the help texts of the app, its commands and topics.
func pages(all bool) map[string]string {
	app := newApp(console.New(nil, nil, nil))
	found := map[string]string{"artifetch": help.Page(app, all)}
	for _, c := range app.Commands {
		found["artifetch "+c.Name] = help.Page(c, all)
		for _, sub := range c.Subcommands {
			found["artifetch "+c.Name+" "+sub.Name] = help.Page(sub, all)
		}
	}
	for _, topic := range help.Topics() {
		found[topic] = help.Topic(topic, codeRows())
	}
	return found
}

func TestHelpFitsAScreen(t *testing.T) {
	t.Parallel()
	for name, page := range pages(false) {
		if n := strings.Count(page, "\n"); n > screenLines {
			t.Errorf("%s --help has %d lines", name, n)
		}
	}
	for name, page := range pages(true) {
		if page == "" {
			t.Errorf("%s has no help", name)
		}
		for line := range strings.Lines(page) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > screenColumns {
				t.Errorf("%s --help has a line of %d characters: %s", name, n, line)
			}
		}
	}
}

// A page starts with the command and examples. If it leaves out flags, it says so.
func TestHelpStartsWithExamples(t *testing.T) {
	t.Parallel()
	whole := pages(true)
	for name, page := range pages(false) {
		_, rest, _ := strings.Cut(page, "\n\n")
		if strings.Contains(page, "\n  artifetch ") && !strings.HasPrefix(rest, "  ") {
			t.Errorf("%s doesn't begin with its examples:\n%s", name, page)
		}
		if short := strings.Count(page, "  --") < strings.Count(whole[name], "  --"); short != strings.Contains(page, "\nMore: "+name+" --help --all.") {
			t.Errorf("%s: which flags are there?\n%s", name, page)
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
	check(help.Page(app, true), app.Flags)
	for _, c := range app.Commands {
		check(help.Page(c, true), c.Flags)
		for _, sub := range c.Subcommands {
			check(help.Page(sub, true), sub.Flags)
		}
	}
}
