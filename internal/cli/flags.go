package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/console"
)

// globalFlags are accepted before and after every command.
func globalFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "server-url", Category: help.Server, Usage: "GitLab instance `URL` (default: $CI_API_V4_URL or gitlab.com)"},
		&cli.StringFlag{Name: "token-file", Category: help.Server, Usage: "read the token from `FILE` (default: environment, /run/secrets)"},
		&cli.StringFlag{Name: "token-type", Category: help.Server, Usage: "`KIND` of token: auto, job, private, bearer or none", DefaultText: "auto"},
		&cli.StringFlag{Name: "header-file", Category: help.Server, Usage: "send the headers in `FILE` to GitLab's server only, for a gateway in front of it"},
		&cli.StringFlag{Name: "ca-file", Category: help.Server, Usage: "also trust the certificates in `FILE` (default: $CI_SERVER_TLS_CA_FILE)"},
		&cli.StringFlag{Name: "cert-file", Category: help.Server, Usage: "client certificate `FILE`, sent to GitLab only"},
		&cli.StringFlag{Name: "key-file", Category: help.Server, Usage: "private key `FILE` of the client certificate"},
		&cli.IntFlag{Name: "retries", Category: help.Transfer, Usage: "retry transient failures up to `N` times", DefaultText: "5"},
		&cli.DurationFlag{Name: "retry-max-time", Category: help.Transfer, Usage: "spend at most `DURATION` on one request and its retries", DefaultText: "5m"},
		&cli.DurationFlag{Name: "stall-timeout", Category: help.Transfer, Usage: "give up on a connection without data for `DURATION`", DefaultText: "1m"},
		&cli.DurationFlag{Name: "deadline", Category: help.Transfer, Usage: "end the whole run after `DURATION`", DefaultText: "never"},
		&cli.StringFlag{Name: "download-mode", Category: help.Transfer, Usage: "`MODE` is direct (from object storage), proxy (through GitLab) or auto", DefaultText: "auto"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Category: help.Output, Usage: "print errors only", DisableDefaultText: true},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Category: help.Output, Usage: "log each request and response status", DisableDefaultText: true},
		&cli.BoolFlag{Name: "version", Category: help.Output, Usage: "show the version", DisableDefaultText: true},
		&cli.StringFlag{Name: "log-format", Category: help.Output, Usage: "`FORMAT` of messages: auto, console or json", DefaultText: "auto"},
	}
}

// globalOptions are the values of the global flags.
type globalOptions struct {
	retries      int // 0 means the default; negative, none
	retryMaxTime time.Duration
	stallTimeout time.Duration
	deadline     time.Duration // 0 means none
	downloadMode string
	quiet        bool
	verbose      bool
	version      bool // show the version and do nothing else
	logFormat    string
	// anyProject: the command needs a project, and its arguments don't name one.
	anyProject bool
	person     bool // a person types the command line now, even without a terminal
	// variables are flags that env reads, under the names of their variables, so it sees
	// one environment. Only given flags are in it.
	variables map[string]string
}

// readGlobal reads the global flags, wherever they are on the command line.
func readGlobal(c *cli.Context) globalOptions {
	o := globalOptions{
		retries: c.Int("retries"), retryMaxTime: c.Duration("retry-max-time"), stallTimeout: c.Duration("stall-timeout"),
		deadline: c.Duration("deadline"), downloadMode: c.String("download-mode"), quiet: c.Bool("quiet"), verbose: c.Bool("verbose"), version: c.Bool("version"), logFormat: c.String("log-format"),
		anyProject: takesProject(c) && !namesProject(c),
		variables:  map[string]string{},
	}
	if c.IsSet("retries") && o.retries == 0 {
		o.retries = -1
	}
	for _, name := range []string{"server-url", "token-file", "token-type", "header-file", "ca-file", "cert-file", "key-file"} {
		if c.IsSet(name) {
			o.variables[envName(name)] = c.String(name)
		}
	}
	return o
}

// readImpatient reads the global flags for an interactive command: without --retries and
// --stall-timeout, it doesn't wait for a server to recover.
func readImpatient(c *cli.Context) globalOptions {
	o := readGlobal(c)
	if !c.IsSet("retries") {
		o.retries = -1
	}
	if !c.IsSet("stall-timeout") {
		o.stallTimeout = 10 * time.Second
	}
	return o
}

// readFlags sets flags from the environment before a command runs. --log-format also
// applies to errors in the environment.
func readFlags(c *cli.Context, con *console.Console) error {
	err := flagsFromEnv(c, slices.Concat(c.App.Flags, c.Command.Flags))
	con.SetJSON(readGlobal(c).logFormat == "json")
	if err != nil {
		return err
	}
	if err := checkWords(c); err != nil {
		return err
	}
	return misplaced(c)
}

// checkWords refuses flags and arguments that a shell or a pipeline has left empty or
// hasn't expanded. Ignoring them would be wrong: an empty --server-url would lead to
// another server, an empty --output to another directory.
func checkWords(c *cli.Context) error {
	given := c.FlagNames() // IsSet would compare all flags' names for each of them
	for _, f := range slices.Concat(c.App.Flags, c.Command.Flags) {
		name := f.Names()[0]
		if !slices.Contains(given, name) {
			continue
		}
		var values []string
		switch f.(type) {
		case *cli.StringFlag:
			values = []string{c.String(name)}
		case *cli.StringSliceFlag:
			values = c.StringSlice(name)
		}
		if err := errors.Join(checkWord("--"+name, unset[name], values...), checkNumber(name, c.Value(name))); err != nil {
			return err
		}
	}
	return cmp.Or(checkDashes(c), checkWord("an argument", "", c.Args().Slice()...))
}

// checkDashes refuses arguments that begin with a dash from a word processor, in place of
// the one that flags have.
func checkDashes(c *cli.Context) error {
	typed, _ := c.App.Metadata[typedArgs].([]string)
	for _, arg := range c.Args().Slice() {
		dash, _ := utf8.DecodeRuneInString(arg)
		if dash >= 0x80 && unicode.Is(unicode.Pd, dash) && !slices.Contains(typed, "--") {
			return usage(fmt.Sprintf("%s begins with another dash (%U) than flags do", arg, dash), "write - or --; if it is a path, write -- before it")
		}
	}
	return nil
}

// unset explains flags whose value usually comes from a variable, if that isn't set.
var unset = map[string]string{
	"ref":      "CI_COMMIT_BRANCH is not set in merge request and tag pipelines, CI_COMMIT_REF_NAME always; --ref @default is the default branch",
	"mr":       "CI_MERGE_REQUEST_IID is set in merge request pipelines only; for a branch use --ref",
	"pipeline": "variables of a trigger job, such as PARENT_PIPELINE_ID, exist only in the pipeline that it triggers; since GitLab 18.9, use --pipeline upstream",
}

// notZero are the flags for which 0 isn't valid: it would silently be the default.
var notZero = []string{"concurrency", "max-bytes", "max-files", "max-ratio", "cache-max-size", "stall-timeout", "retry-max-time"}

// checkNumber refuses numbers and durations that would silently mean the default or
// nothing. For example, a limit of -1 must not mean "no limit".
func checkNumber(name string, value any) error {
	var n int64
	switch v := value.(type) {
	case int:
		n = int64(v)
	case int64:
		n = v
	case time.Duration:
		n = int64(v)
	default:
		return nil
	}
	switch zero := slices.Contains(notZero, name); {
	case n < 0 && !zero:
		return usage("--"+name+" must not be negative", "leave it out for the default")
	case n <= 0 && zero:
		return usage("--"+name+" must be a positive number", "leave it out for the default")
	}
	return nil
}

// checkWord refuses values that are empty or weren't expanded. why explains how that
// happens; it may be empty.
func checkWord(what, why string, values ...string) error {
	for _, value := range values {
		if ref, found := env.Unexpanded(value); found {
			return usage(what+" holds the literal text "+ref+": it was not expanded", strings.TrimSuffix("a shell doesn't expand variables in single quotes; "+why, "; "))
		}
		if m := unexpandedDir.FindStringSubmatch(value); m != nil {
			return usage(what+" holds the literal text "+m[1]+": it was not expanded", "a shell doesn't expand variables in single quotes, and ~ only at the beginning of a word")
		}
		if strings.TrimSpace(value) == "" {
			return usage(what+" is empty", cmp.Or(why, "give it a value, or leave it out"))
		}
	}
	return nil
}

// unexpandedDir matches a path whose beginning a shell should have expanded. Otherwise
// --output=~/x would make a directory called ~.
var unexpandedDir = regexp.MustCompile(`^(~|\$[A-Z_][A-Z0-9_]*|\$\{[A-Z_][A-Z0-9_]*\})(?:/|$)`)

// flagsFromEnv sets flags that weren't given from their ARTIFETCH_ variables. The library
// itself would take an empty variable as a value. A flag that may be repeated takes one
// value per line.
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
				return usage(wrongValue(f, envName(name), v, "it sets --"+name))
			}
		}
		if c.App.Metadata == nil {
			c.App.Metadata = map[string]any{}
		}
		c.App.Metadata[envName(name)] = true
	}
	return nil
}

// fromEnv reports whether [flagsFromEnv] has set a flag from its variable.
func fromEnv(c *cli.Context, flag string) bool { return c.App.Metadata[envName(flag)] != nil }

// envPrefix is the prefix of all flags' variables.
const envPrefix = "ARTIFETCH_"

// envName returns a flag's variable: ARTIFETCH_SOME_FLAG for --some-flag.
func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}
