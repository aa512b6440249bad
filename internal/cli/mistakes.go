package cli

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/cli/internal/arrange"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/meant"
	"gitlab.com/artifetch/artifetch/internal/similar"
)

// noCommand runs when the first argument isn't a command, or there is none.
func noCommand(c *cli.Context) error {
	words := slices.DeleteFunc(c.Args().Slice(), func(word string) bool { return word == "--" }) // see package arrange
	if len(words) == 0 {
		return cli.ShowAppHelp(c)
	}
	return unknownCommand(c.App, words[0])
}

// printHelp prints the page of a command or a topic.
func printHelp(c *cli.Context, words []string) error {
	if len(words) == 0 {
		return cli.ShowAppHelp(c)
	}
	if page := help.Topic(strings.Join(words, "-"), codeRows()); page != "" {
		_, err := io.WriteString(c.App.Writer, page)
		return err
	}
	if known := commandAt(c.App, words); known != nil {
		help.Print(c.App.Writer, "", known)
		return nil
	}
	for i := len(words) - 1; i > 0; i-- {
		if known := commandAt(c.App, words[:i]); known != nil {
			return unknownSubcommand(strings.Join(words[:i], " "), words[i], known.Subcommands)
		}
	}
	return unknownCommand(c.App, words[0])
}

// codeRows are the exit codes and their meanings.
func codeRows() (rows [][2]string) {
	meanings := failure.Codes()
	for _, code := range slices.Sorted(maps.Keys(meanings)) {
		rows = append(rows, [2]string{strconv.Itoa(int(code)), meanings[code]})
	}
	return rows
}

func unknownCommand(app *cli.App, name string) error {
	hint := "artifetch --help lists the commands"
	names := help.Topics()
	for _, command := range app.Commands {
		names = append(names, command.Names()...)
	}
	switch near := nearest(name, names); {
	case meant.Commands[name] != "":
		hint = fmt.Sprintf("did you mean artifetch %s? %s", meant.Commands[name], hint)
	case name == "login" || name == "auth":
		hint = "set GITLAB_TOKEN, or give --token-file; artifetch doctor checks the token"
	case isAddress(name):
		hint = "did you mean: " + queryOptions{}.forAddress(meant.Line{Command: "artifetch fetch", Typed: arrange.Read(app, nil)}, name)
	case near != "":
		hint = fmt.Sprintf("did you mean %s? %s", near, hint)
	}
	return usage(fmt.Sprintf("no command %q", name), hint)
}

// commandAt returns the command of a path such as job show, or nil.
func commandAt(app *cli.App, path []string) (found *cli.Command) {
	commands := app.Commands
	for _, name := range path {
		at := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(name) })
		if at < 0 {
			return nil
		}
		found, commands = commands[at], commands[at].Subcommands
	}
	return found
}

// noSubcommand runs if the word after a command isn't a subcommand.
func noSubcommand(c *cli.Context) error {
	if !c.Args().Present() {
		return cli.ShowSubcommandHelp(c)
	}
	return unknownSubcommand(c.Command.Name, c.Args().First(), c.Command.Subcommands)
}

// unknownSubcommand returns the error for a name in the place of a command's subcommand.
func unknownSubcommand(path, name string, known []*cli.Command) error {
	if len(known) == 0 {
		return usage(fmt.Sprintf("no command %q of %s", name, path), fmt.Sprintf("artifetch help %s shows its help", path))
	}
	var names []string
	for _, sub := range known {
		names = append(names, sub.Name)
	}
	hint := "it is one of " + strings.Join(names, ", ")
	if near := cmp.Or(meant.Subcommands[path+" "+name], nearest(name, names)); near != "" {
		hint = fmt.Sprintf("did you mean artifetch %s %s? %s", path, near, hint)
	}
	return usage(fmt.Sprintf("no command %q of %s", name, path), hint)
}

// nearest returns the most similar name, or "".
func nearest(name string, names []string) string {
	names = slices.DeleteFunc(names, func(known string) bool { return len(known) < 2 })
	if similar := similar.Names(name, names, 1); len(similar) > 0 {
		return similar[0]
	}
	return ""
}

// groupError is for flags after a word that isn't one of a group's commands: the group has
// none of its own.
func groupError(c *cli.Context) error {
	if c.Command == nil || c.Command.HelpName != "artifetch job" {
		return nil
	}
	if rest := typedLine(c).Typed.Rest; len(rest) > 0 {
		return unknownSubcommand("job", rest[0], c.Command.Subcommands)
	}
	return nil
}

func onUsageError(c *cli.Context, err error, _ bool) error {
	if err := groupError(c); err != nil {
		return err
	}
	command, flags := "artifetch", c.App.Flags
	if c.Command != nil && c.Command.Name != "" && c.Command.Name != "artifetch" {
		command = c.Command.HelpName
		flags = slices.Concat(c.Command.Flags, flags)
	}
	hint := command + " --help lists the flags"
	if name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); unknown {
		typed := asTyped(c, name)
		err = fmt.Errorf("no flag %s", typed)
		hint = cmp.Or(hintForLong(typed, name, flags, hint), hintForLetters(typed, flags), hintForPlace(c, command, name), hint)
	}
	if value, name, ok := invalidValue(err.Error()); ok {
		for _, f := range flags {
			if f.Names()[0] == name {
				return usage(wrongValue(f, "--"+name, value, hint))
			}
		}
	}
	// Known flags have their long names by now: see package arrange.
	return usage(strings.NewReplacer("for flag -", "for --", `" for -`, `" for --`, "argument: -", "argument: --").Replace(err.Error()), hint)
}

// hintForLong is for names after two dashes: those of tokens, and similar ones.
func hintForLong(typed, name string, flags []cli.Flag, help string) string {
	if !strings.HasPrefix(typed, "--") {
		return ""
	}
	if name == "token" || strings.HasSuffix(name, "-token") {
		return "set GITLAB_TOKEN, or give --token-file FILE: other users of the machine can read a token on the command line"
	}
	if near := nearest(name, flagNames(flags)); near != "" {
		return fmt.Sprintf("did you mean --%s? %s", near, help)
	}
	return ""
}

// typedArgs is the metadata key of the arguments as the user typed them.
const typedArgs = "args"

// asTyped returns an unknown flag as the user typed it. The library drops its dashes.
func asTyped(c *cli.Context, name string) string {
	typed, _ := c.App.Metadata[typedArgs].([]string)
	for _, arg := range typed {
		if flag, _, _ := strings.Cut(arg, "="); flag != strings.TrimLeft(flag, "-") && strings.TrimLeft(flag, "-") == name {
			return flag
		}
	}
	return strings.Repeat("-", min(len(name), 2)) + name
}

func flagNames(flags []cli.Flag) (names []string) {
	for _, f := range flags {
		names = append(names, f.Names()...)
	}
	return names
}

// hintForLetters is for -la and -rmain: other programs accept several letters, or a
// letter with its value, after one dash.
func hintForLetters(typed string, flags []cli.Flag) string {
	if strings.HasPrefix(typed, "--") || len(typed) < 3 {
		return ""
	}
	letter := typed[1:2]
	at := slices.IndexFunc(flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), letter) })
	switch {
	case slices.Contains(flagNames(flags), typed[1:]):
		return ""
	case at < 0:
		return ""
	}
	if _, isBool := flags[at].(*cli.BoolFlag); !isBool {
		return fmt.Sprintf("write -%s %s, with a space", letter, typed[2:])
	}
	for _, other := range typed[2:] {
		if !slices.Contains(flagNames(flags), string(other)) {
			return fmt.Sprintf("there is -%s, but no -%c", letter, other)
		}
	}
	return "write these flags one by one"
}

// hintForPlace is for a command's flag in front of the command.
func hintForPlace(c *cli.Context, command, name string) string {
	if command != c.App.Name {
		return ""
	}
	for _, other := range c.App.Commands {
		path := other.Name
		found := slices.Contains(flagNames(other.Flags), name)
		for _, sub := range other.Subcommands {
			if !found && slices.Contains(flagNames(sub.Flags), name) {
				path, found = path+" "+sub.Name, true
			}
		}
		if found {
			return fmt.Sprintf("flags of a command go after it: artifetch %s %s …", path, asTyped(c, name))
		}
	}
	return ""
}

// invalidValue parses the library's message about an invalid value.
func invalidValue(text string) (value, name string, ok bool) {
	quoted, rest, ok := strings.Cut(strings.TrimPrefix(text, "invalid value "), " for flag -")
	if !ok || !strings.HasPrefix(text, "invalid value ") {
		return "", "", false
	}
	value, err := strconv.Unquote(quoted)
	name, _, _ = strings.Cut(rest, ":")
	return value, name, err == nil
}

// wrongValue explains what is wrong with a flag's value, which may come from a variable,
// and how to write it; other is the hint if nothing better is known.
func wrongValue(f cli.Flag, name, value, other string) (what, hint string) {
	what, hint = fmt.Sprintf("%s: invalid value %q", name, value), other
	switch f.(type) {
	case *cli.DurationFlag:
		hint = "write it like 90s, 15m or 1h30m"
		if _, err := strconv.Atoi(value); err == nil {
			what, hint = fmt.Sprintf("%s: %s has no unit", name, value), fmt.Sprintf("write %ss for seconds, %sm for minutes or %sh for hours", value, value, value)
		}
	case *cli.IntFlag, *cli.Int64Flag:
		hint = "write a number, without a unit"
	}
	return what, hint
}
