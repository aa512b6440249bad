package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/similar"
)

// noCommand runs when the first argument is no command, or there is none.
func noCommand(c *cli.Context) error {
	if !c.Args().Present() {
		return cli.ShowAppHelp(c)
	}
	name := c.Args().First()
	hint := "artifetch --help lists the commands"
	var names []string
	for _, command := range c.App.Commands {
		names = append(names, command.Names()...)
	}
	if near := nearest(name, names); near != "" {
		hint = fmt.Sprintf("did you mean %s? %s", near, hint)
	}
	return usage(fmt.Sprintf("no command %q", name), hint)
}

// noSubcommand runs when the word behind a command is none of its own.
func noSubcommand(c *cli.Context) error {
	if !c.Args().Present() {
		return cli.ShowSubcommandHelp(c)
	}
	var names []string
	for _, sub := range c.Command.Subcommands {
		names = append(names, sub.Name)
	}
	return usage(fmt.Sprintf("no command %q of %s", c.Args().First(), c.Command.Name), "it is one of "+strings.Join(names, ", "))
}

// nearest is the name that is most like one that does not exist, or "".
func nearest(name string, names []string) string {
	names = slices.DeleteFunc(names, func(known string) bool { return len(known) < 2 })
	if similar := similar.Names(name, names, 1); len(similar) > 0 {
		return similar[0]
	}
	return ""
}

func onUsageError(c *cli.Context, err error, _ bool) error {
	command, flags := "artifetch", c.App.Flags
	if c.Command != nil && c.Command.Name != "" && c.Command.Name != "artifetch" {
		command = c.Command.HelpName
		flags = slices.Concat(c.Command.Flags, flags)
	}
	hint := command + " --help lists the flags"
	if name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); unknown {
		err = fmt.Errorf("no flag %s%s", strings.Repeat("-", min(len(name), 2)), name)
		var names []string
		for _, f := range flags {
			names = append(names, f.Names()...)
		}
		if near := nearest(name, names); near != "" {
			hint = fmt.Sprintf("did you mean --%s? %s", near, hint)
		}
	}
	if strings.HasPrefix(err.Error(), "invalid value") {
		hint = cmp.Or(hintForValue(err.Error(), flags), hint)
	}
	// Flags that are known have their long names by now: see package arrange.
	return usage(strings.NewReplacer("for flag -", "for --", `" for -`, `" for --`, "argument: -", "argument: --").Replace(err.Error()), hint)
}

// hintForValue says how to write the value that the library can't read, or "".
func hintForValue(text string, flags []cli.Flag) string {
	name, _, _ := strings.Cut(text[strings.LastIndex(text, " -")+2:], ":")
	for _, f := range flags {
		if f.Names()[0] != name {
			continue
		}
		switch f.(type) {
		case *cli.DurationFlag:
			return "write it like 90s, 15m or 1h30m"
		case *cli.IntFlag, *cli.Int64Flag:
			return "write a number, without a unit"
		}
	}
	return ""
}
