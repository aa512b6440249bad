// Package arrange sorts a command line into the order that the library reads:
//
//	artifetch [global flags] COMMAND [SUBCOMMAND] [command flags] -- [arguments]
//
// The library stops reading flags at the first positional argument, accepts global flags
// only before the command, and refuses two spellings of one flag. People write "fetch
// dist/ --job build -v". Completion uses it to read the words before the cursor.
package arrange

import (
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// Error reports a flag in the place of another flag's value, or a flag with two values,
// where the library would ignore the first.
type Error struct {
	Flag, Value string
	Twice       bool
}

// Error implements error.
func (e *Error) Error() string {
	if e.Twice {
		return e.Flag + " is there twice, with different values"
	}
	return e.Flag + " has no value: " + e.Value + " follows"
}

// Hint says what to do next.
func (e *Error) Hint() string {
	if e.Twice && e.Flag == "--header-file" {
		return "write all headers into one file"
	}
	if e.Twice {
		return "it takes one; run the command once for each"
	}
	return "quote variables, as in " + e.Flag + ` "$VALUE"; if ` + e.Value + " is the value, write " + e.Flag + "=" + e.Value
}

// Args returns args in that order. It leaves an unknown flag where the library will
// report it. The error is an [*Error].
func Args(app *cli.App, args []string) ([]string, error) {
	if len(args) == 0 {
		return args, nil
	}
	a := Read(app, args[1:])
	out := slices.Concat(args[:1], a.globals)
	if len(a.Path) == 0 {
		return slices.Concat(out, a.Rest), a.mistake
	}
	out = slices.Concat(out, a.Path, a.flags)
	if len(a.Rest) > 0 {
		out = append(out, "--")
	}
	return append(out, a.Rest...), a.mistake
}

// Flag is what [Args] needs to know about a flag to move it.
type Flag struct {
	Name       string // the first of its names
	TakesValue bool
	single     bool // is in the list below, and takes one value
}

// single are the flags that say which job is meant, what is written besides its files, or
// what is sent besides a token, and take one value unless they are a list.
var single = []string{"ref", "job-id", "pipeline", "sha", "mr", "archive", "dotenv", "header-file"}

func index(flags []cli.Flag) map[string]Flag {
	known := map[string]Flag{"help": {Name: "help"}, "h": {Name: "help"}}
	for _, f := range flags {
		_, isBool := f.(*cli.BoolFlag)
		_, isText := f.(*cli.StringFlag)
		for _, name := range f.Names() {
			known[name] = Flag{f.Names()[0], !isBool, isText && slices.Contains(single, f.Names()[0])}
		}
	}
	return known
}

// Line is a command line, without the name of the program.
type Line struct {
	global map[string]Flag
	local  map[string]Flag // of the command; for a group, of all its commands

	Commands       []*cli.Command // the possible next commands
	Path           []string       // the command, after its group
	Rest           []string       // the arguments
	globals, flags []string
	mistake        error // the first flag that is in the place of a value, or given twice
}

// Read parses words.
func Read(app *cli.App, words []string) *Line {
	a := &Line{global: index(app.Flags), Commands: app.Commands}
	a.read(words)
	return a
}

func (a *Line) read(args []string) {
	for len(args) > 0 {
		arg := args[0]
		switch {
		case arg == "--":
			a.Rest = append(a.Rest, args[1:]...)
			return
		case len(arg) > 1 && arg[0] == '-':
			args = a.flag(args)
		case a.enter(arg):
			args = args[1:]
		default:
			a.Rest = append(a.Rest, arg)
			args = args[1:]
		}
	}
}

// enter records the command and its flags; it returns false if arg isn't a command.
// Whatever is in the place of a command counts as one, known or not.
func (a *Line) enter(arg string) bool {
	for _, c := range a.Commands {
		if c.HasName(arg) {
			a.Path, a.Commands = append(a.Path, arg), c.Subcommands
			a.local = index(c.Flags)
			for _, sub := range c.Subcommands {
				maps.Copy(a.local, index(sub.Flags))
			}
			return true
		}
	}
	if len(a.Path) > 0 {
		a.Commands = nil // in the place of a subcommand
		return false
	}
	a.Path, a.Commands = []string{arg}, nil
	return true
}

// flag removes one flag and its value, if it has one, from args.
func (a *Line) flag(args []string) []string {
	name, value, hasValue := strings.Cut(strings.TrimLeft(args[0], "-"), "=")
	info, to, known := a.lookup(name)
	if !known {
		if letters := a.combined(args[0]); letters != nil {
			return append(letters, args[1:]...)
		}
		to := &a.flags
		if len(a.Path) == 0 {
			to = &a.globals
		}
		*to = append(*to, args[0])
		return args[1:]
	}
	taken := []string{"--" + info.Name}
	args = args[1:]
	switch {
	case hasValue:
		taken[0] += "=" + value
	case info.TakesValue && len(args) > 0:
		a.checkValue(taken[0], args[0])
		taken[0] += "=" + args[0]
		args = args[1:]
	}
	if info.single {
		a.checkTwice(taken[0], *to)
	}
	*to = append(*to, taken...)
	return args
}

// checkValue records a flag in the place of a value. In -R $PROJECT --server-url URL with
// an empty variable, --server-url would become the project, and the token would go to the
// default server.
func (a *Line) checkValue(flag, value string) {
	name, _, _ := strings.Cut(strings.TrimLeft(value, "-"), "=")
	_, _, known := a.lookup(name)
	if a.mistake == nil && (strings.HasPrefix(value, "--") || known && strings.HasPrefix(value, "-")) {
		a.mistake = &Error{Flag: flag, Value: value}
	}
}

// checkTwice records a flag that already had another value. With the last one alone,
// --job-id 1 --job-id 2 would erase only one of the jobs.
func (a *Line) checkTwice(flag string, before []string) {
	name, _, _ := strings.Cut(flag, "=")
	other := func(known string) bool { return strings.HasPrefix(known, name+"=") && known != flag }
	if a.mistake == nil && slices.ContainsFunc(before, other) {
		a.mistake = &Error{Flag: name, Twice: true}
	}
}

func (a *Line) lookup(name string) (info Flag, to *[]string, known bool) {
	if info, known = a.local[name]; known {
		return info, &a.flags, true
	}
	info, known = a.global[name]
	if known && info.Name == "help" && len(a.Path) > 0 {
		return info, &a.flags, true
	}
	return info, &a.globals, known
}

// combined splits -qv into -q -v, if each letter is a flag without a value.
func (a *Line) combined(arg string) []string {
	if len(arg) < 3 || arg[1] == '-' {
		return nil
	}
	var letters []string
	for _, r := range arg[1:] {
		info, _, known := a.lookup(string(r))
		if !known || info.TakesValue {
			return nil
		}
		letters = append(letters, "-"+string(r))
	}
	return letters
}

// Flag returns the flag with a name: one of the command's or a global one.
func (a *Line) Flag(name string) (f Flag, known bool) {
	f, _, known = a.lookup(name)
	return f, known
}

// Awaits returns the flag that needs a value after the words before it, or "".
func (a *Line) Awaits(before []string) string {
	if len(before) == 0 || slices.Contains(before, "--") {
		return ""
	}
	last := before[len(before)-1]
	if len(last) < 2 || last[0] != '-' || strings.Contains(last, "=") {
		return ""
	}
	if info, _, known := a.lookup(strings.TrimLeft(last, "-")); known && info.TakesValue {
		return info.Name
	}
	return ""
}

// Value returns the value that a flag of the command has so far, or "".
func (a *Line) Value(name string) (value string) {
	for _, flag := range a.flags {
		if v, ok := strings.CutPrefix(flag, "--"+name+"="); ok {
			value = v
		}
	}
	return value
}
