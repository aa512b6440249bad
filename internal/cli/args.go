package cli

import (
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// The library stops reading flags at the first positional argument, knows
// global flags only before the command, and refuses two spellings of one flag.
// People write `fetch dist/ --job build -v`, so arrange puts what they wrote
// into the one order that the library reads:
//
//	artifetch [global flags] COMMAND [SUBCOMMAND] [command flags] -- [arguments]

// arrange returns args in that order. An unknown flag stays where the library will
// complain about it. The error is that of a flag in the place of a value.
func arrange(app *cli.App, args []string) ([]string, error) {
	if len(args) == 0 {
		return args, nil
	}
	a := arranger{global: index(app.Flags), commands: app.Commands}
	a.read(args[1:])
	out := slices.Concat(args[:1], a.globals)
	if len(a.path) == 0 {
		return slices.Concat(out, a.rest), a.swallowed
	}
	out = slices.Concat(out, a.path, a.flags)
	if len(a.rest) > 0 {
		out = append(out, "--")
	}
	return append(out, a.rest...), a.swallowed
}

// flagInfo is what has to be known about a flag to move it.
type flagInfo struct {
	name       string // the first of its names
	takesValue bool
}

func index(flags []cli.Flag) map[string]flagInfo {
	known := map[string]flagInfo{"help": {"help", false}, "h": {"help", false}}
	for _, f := range flags {
		_, isBool := f.(*cli.BoolFlag)
		for _, name := range f.Names() {
			known[name] = flagInfo{f.Names()[0], !isBool}
		}
	}
	return known
}

type arranger struct {
	global   map[string]flagInfo
	local    map[string]flagInfo // of the command, once it is known; of a group, all that its commands know
	commands []*cli.Command      // that may come next

	path                 []string // the command, below the group that it is in
	globals, flags, rest []string
	swallowed            error // the first flag that stands in the place of a value
}

func (a *arranger) read(args []string) {
	for len(args) > 0 {
		arg := args[0]
		switch {
		case arg == "--":
			a.rest = append(a.rest, args[1:]...)
			return
		case len(arg) > 1 && arg[0] == '-':
			args = a.flag(args)
		case a.enter(arg):
			args = args[1:]
		default:
			a.rest = append(a.rest, arg)
			args = args[1:]
		}
	}
}

// enter notes the command and its flags; false means that arg is none. What
// stands in the place of a command is one, known or not.
func (a *arranger) enter(arg string) bool {
	for _, c := range a.commands {
		if c.HasName(arg) {
			a.path, a.commands = append(a.path, arg), c.Subcommands
			a.local = index(c.Flags)
			for _, sub := range c.Subcommands {
				maps.Copy(a.local, index(sub.Flags))
			}
			return true
		}
	}
	if len(a.path) > 0 {
		a.commands = nil // it takes the place of a subcommand
		return false
	}
	a.path, a.commands = []string{arg}, nil
	return true
}

// flag takes one flag and, where there is one, its value off args.
func (a *arranger) flag(args []string) []string {
	name, value, hasValue := strings.Cut(strings.TrimLeft(args[0], "-"), "=")
	info, to, known := a.lookup(name)
	if !known {
		if letters := a.combined(args[0]); letters != nil {
			return append(letters, args[1:]...)
		}
		to := &a.flags
		if len(a.path) == 0 {
			to = &a.globals
		}
		*to = append(*to, args[0])
		return args[1:]
	}
	taken := []string{"--" + info.name}
	args = args[1:]
	switch {
	case hasValue:
		taken[0] += "=" + value
	case info.takesValue && len(args) > 0:
		a.checkValue(taken[0], args[0])
		taken[0] += "=" + args[0]
		args = args[1:]
	}
	*to = append(*to, taken...)
	return args
}

// checkValue notes a flag in the place of a value. In -R $PROJECT --server-url URL with
// an empty variable, --server-url would become the project, and the token would go to
// the default server.
func (a *arranger) checkValue(flag, value string) {
	name, _, _ := strings.Cut(strings.TrimLeft(value, "-"), "=")
	_, _, known := a.lookup(name)
	if a.swallowed == nil && (strings.HasPrefix(value, "--") || known && strings.HasPrefix(value, "-")) {
		a.swallowed = usage(flag+" has no value: "+value+" follows",
			"quote variables, as in "+flag+` "$VALUE"; if `+value+" is the value, write "+flag+"="+value)
	}
}

func (a *arranger) lookup(name string) (info flagInfo, to *[]string, known bool) {
	if info, known = a.local[name]; known {
		return info, &a.flags, true
	}
	info, known = a.global[name]
	if known && info.name == "help" && len(a.path) > 0 {
		return info, &a.flags, true
	}
	return info, &a.globals, known
}

// combined splits -qv into -q -v, if each letter is a flag without a value.
func (a *arranger) combined(arg string) []string {
	if len(arg) < 3 || arg[1] == '-' {
		return nil
	}
	var letters []string
	for _, r := range arg[1:] {
		info, _, known := a.lookup(string(r))
		if !known || info.takesValue {
			return nil
		}
		letters = append(letters, "-"+string(r))
	}
	return letters
}
