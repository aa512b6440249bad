package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/console"
)

// readFlags completes the flags before a command runs. What is wrong with the
// environment is said as --log-format wants it, too.
func readFlags(c *cli.Context, con *console.Console) error {
	err := flagsFromEnv(c, slices.Concat(c.App.Flags, c.Command.Flags))
	con.SetJSON(readGlobal(c).logFormat == "json")
	if err != nil {
		return err
	}
	return checkWords(c)
}

// checkWords refuses flags and arguments that a shell or a pipeline has left empty,
// or has not expanded. They must not count as left out: an empty --server-url would
// lead to another server, an empty --output to another directory.
func checkWords(c *cli.Context) error {
	for _, f := range slices.Concat(c.App.Flags, c.Command.Flags) {
		name := f.Names()[0]
		if !c.IsSet(name) {
			continue
		}
		var values []string
		switch f.(type) {
		case *cli.StringFlag:
			values = []string{c.String(name)}
		case *cli.StringSliceFlag:
			values = c.StringSlice(name)
		}
		if err := checkWord("--"+name, values...); err != nil {
			return err
		}
	}
	return checkWord("an argument", c.Args().Slice()...)
}

func checkWord(what string, values ...string) error {
	for _, value := range values {
		if ref, found := env.Unexpanded(value); found {
			return usage(what+" holds the literal text "+ref+": it was not expanded", "single quotes keep a shell from expanding")
		}
		if strings.TrimSpace(value) == "" {
			return usage(what+" is empty", "give it a value, or leave it out")
		}
	}
	return nil
}

// flagsFromEnv sets each flag that was not given from its ARTIFETCH_ variable.
// The library's own way takes a variable that is set but empty for a value. A
// flag that may repeat takes one value a line.
func flagsFromEnv(c *cli.Context, flags []cli.Flag) error {
	for _, f := range flags {
		name := f.Names()[0]
		value := strings.TrimRight(os.Getenv(envName(name)), "\r\n")
		if value == "" || c.IsSet(name) || name == "help" || name == "version" {
			continue
		}
		values := []string{value}
		if _, repeats := f.(*cli.StringSliceFlag); repeats {
			values = strings.FieldsFunc(value, func(r rune) bool { return r == '\n' || r == '\r' })
		}
		for _, v := range values {
			if err := c.Set(name, v); err != nil {
				return usage(fmt.Sprintf("%s: invalid value %q", envName(name), v), "it sets --"+name)
			}
		}
	}
	return nil
}

// envPrefix starts the variables of all flags.
const envPrefix = "ARTIFETCH_"

// envName is the variable of a flag: --some-flag is ARTIFETCH_SOME_FLAG.
func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}
