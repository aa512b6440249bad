package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// Categories of flags, as --help shows them.
const (
	categoryWhich    = "Which job:"
	categorySelect   = "Which files, and where to:"
	categoryTransfer = "Transfer and limits:"
	categoryServer   = "Server and token:"
	categoryOutput   = "Output:"
)

// globalFlags are understood before and after every command.
func globalFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "server-url", Category: categoryServer, Usage: "the GitLab instance, `URL` (default: $CI_API_V4_URL, else gitlab.com)"},
		&cli.StringFlag{Name: "token-file", Category: categoryServer, Usage: "read the token from `FILE` (default: environment, /run/secrets)"},
		&cli.StringFlag{Name: "token-type", Category: categoryServer, Usage: "`KIND` of token: auto, job, private, bearer or none", DefaultText: "auto"},
		&cli.StringFlag{Name: "ca-file", Category: categoryServer, Usage: "trust the certificates in `FILE` too (default: $CI_SERVER_TLS_CA_FILE)"},
		&cli.StringFlag{Name: "cert-file", Category: categoryServer, Usage: "client certificate `FILE`, shown to GitLab alone"},
		&cli.StringFlag{Name: "key-file", Category: categoryServer, Usage: "its key `FILE`"},
		&cli.IntFlag{Name: "retries", Category: categoryTransfer, Usage: "repeat a request that failed in passing up to `N` times", DefaultText: "5"},
		&cli.DurationFlag{Name: "retry-max-time", Category: categoryTransfer, Usage: "spend at most `DURATION` on one request and its repeats", DefaultText: "5m"},
		&cli.DurationFlag{Name: "stall-timeout", Category: categoryTransfer, Usage: "give up on a connection that is silent for `DURATION`", DefaultText: "1m"},
		&cli.DurationFlag{Name: "deadline", Category: categoryTransfer, Usage: "give up altogether after `DURATION`", DefaultText: "never"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Category: categoryOutput, Usage: "say only what went wrong", DisableDefaultText: true},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Category: categoryOutput, Usage: "say what is asked of the server, and how it answers", DisableDefaultText: true},
		&cli.BoolFlag{Name: "version", Category: categoryOutput, Usage: "show the version", DisableDefaultText: true},
		&cli.StringFlag{Name: "log-format", Category: categoryOutput, Usage: "`FORMAT` of messages: auto, console or json", DefaultText: "auto"},
	}
}

// queryFlags say which job is meant.
func queryFlags() []cli.Flag {
	return []cli.Flag{
		projectFlag(),
		&cli.StringFlag{Name: "ref", Aliases: []string{"r"}, Category: categoryWhich, Usage: "branch or tag `REF` (default: the job's own)"},
		&cli.StringSliceFlag{Name: "job", Aliases: []string{"j"}, Category: categoryWhich, Usage: "job `NAME`, in full, or a glob (*, ?, {a,b}); may be repeated"},
		&cli.StringFlag{Name: "job-id", Category: categoryWhich, Usage: "job `ID` or web address, instead of --ref and --job"},
		&cli.StringFlag{Name: "pipeline", Category: categoryWhich, Usage: "`ID`, web address, current, or latest (of --ref), whatever its status"},
		&cli.StringFlag{Name: "sha", Category: categoryWhich, Usage: "the newest pipeline of the commit `SHA` that has the job"},
		&cli.Int64Flag{Name: "mr", Category: categoryWhich, Usage: "the newest pipeline of merge request `NUMBER` that has the job", DefaultText: "none"},
		&cli.BoolFlag{Name: "recent", Category: categoryWhich, Usage: "the newest successful pipeline that has the job, not the newest alone", DisableDefaultText: true},
		&cli.DurationFlag{Name: "max-age", Category: categoryWhich, Usage: "with --recent, none older than `DURATION`", DefaultText: "any"},
		&cli.BoolFlag{Name: "any-status", Category: categoryWhich, Usage: "with --pipeline, --sha or --mr: also of jobs that have not succeeded", DisableDefaultText: true},
		&cli.BoolFlag{Name: "downstream", Category: categoryWhich, Usage: "with these, too: also in pipelines of other projects that were triggered", DisableDefaultText: true},
		&cli.DurationFlag{Name: "wait", Category: categoryWhich, Usage: "wait up to `DURATION` for the job to finish", DefaultText: "no time"},
	}
}

// extractionFlags say which files of the archive go where, and what they may be.
func extractionFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "include", Aliases: []string{"i"}, Category: categorySelect, Usage: "take what matches `GLOB`; the same as a PATH argument"},
		&cli.StringSliceFlag{Name: "exclude", Aliases: []string{"x"}, Category: categorySelect, Usage: "leave out what matches `GLOB`"},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Category: categorySelect, Usage: "`DIR` for the files; may hold {job} (default: $CI_PROJECT_DIR, else here)"},
		&cli.IntFlag{Name: "strip-components", Category: categorySelect, Usage: "drop the first `N` directories of each name"},
		&cli.BoolFlag{Name: "flat", Category: categorySelect, Usage: "drop all directories of each name", DisableDefaultText: true},
		&cli.IntFlag{Name: "unpack", Category: categorySelect, Usage: "unpack archives (.zip, .tar.gz, …) among the files, too, up to `N` deep", DefaultText: "0"},
		&cli.StringFlag{Name: "on-conflict", Category: categorySelect, Usage: "existing files: `WHAT` is overwrite, skip or fail", DefaultText: "overwrite"},
		&cli.StringFlag{Name: "symlinks", Category: categorySelect, Usage: "links that point out: `HOW` is safe (refuse), skip or all", DefaultText: "safe"},
		&cli.StringFlag{Name: "umask", Category: categorySelect, Usage: "take these `BITS`, such as 027, from every mode", DefaultText: "none"},
		&cli.BoolFlag{Name: "allow-git", Category: categorySelect, Usage: "let an archive write into .git directories", DisableDefaultText: true},
		&cli.StringFlag{Name: "sha256", Category: categorySelect, Usage: "refuse an archive with another SHA-256 than `HEX`; all of it has to come", DefaultText: "any"},
		&cli.BoolFlag{Name: "verify-provenance", Category: categorySelect, Usage: "hold each file against the runner's statement in the archive", DisableDefaultText: true},
		&cli.Int64Flag{Name: "max-bytes", Category: categoryTransfer, Usage: "refuse an archive that unpacks to more than `N` bytes", DefaultText: "64 GiB"},
		&cli.IntFlag{Name: "max-files", Category: categoryTransfer, Usage: "refuse an archive with more than `N` entries", DefaultText: "500000"},
		&cli.Int64Flag{Name: "max-ratio", Category: categoryTransfer, Usage: "refuse what unpacks to over 1 GiB and `N` times its size", DefaultText: "1000"},
	}
}

// transferFlags say how the archive comes here.
func transferFlags() []cli.Flag {
	return []cli.Flag{
		ifMissingFlag(),
		&cli.IntFlag{Name: "concurrency", Category: categoryTransfer, Usage: "use up to `N` connections for one archive, if that is faster", DefaultText: "16"},
		cacheFlag(), cacheSizeFlag(),
	}
}

// logFlags say how a run that takes its time tells what it does.
func logFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "no-progress", Category: categoryOutput, Usage: "show no progress", DisableDefaultText: true},
		&cli.BoolFlag{Name: "no-sections", Category: categoryOutput, Usage: "make no sections in job logs", DisableDefaultText: true},
	}
}

func ifMissingFlag() cli.Flag {
	return &cli.StringFlag{Name: "if-missing", Category: categorySelect, Usage: "`WHAT` if there is no job or archive: fail, warn or ignore", DefaultText: "fail"}
}

func cacheFlag() cli.Flag {
	return &cli.StringFlag{Name: "cache-dir", Category: categoryTransfer, Usage: "keep whole archives in `DIR`, and download none twice (default: off)"}
}

func cacheSizeFlag() cli.Flag {
	return &cli.Int64Flag{Name: "cache-max-size", Category: categoryTransfer, Usage: "keep at most `N` bytes there, those that were used last", DefaultText: "10 GiB"}
}

func projectFlag() cli.Flag {
	return &cli.StringFlag{Name: "project", Aliases: []string{"R"}, Category: categoryWhich, Usage: "`PROJECT` id, full path or web address (default: $CI_PROJECT_ID)"}
}

// envPrefix starts the variables of all flags.
const envPrefix = "ARTIFETCH_"

// envName is the variable of a flag: --some-flag is ARTIFETCH_SOME_FLAG.
func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
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
				return &usageError{fmt.Sprintf("%s: invalid value %q", envName(name), v), "it sets --" + name}
			}
		}
	}
	return nil
}

// flagLookuper answers for the flags of the command line under the names of
// their variables, so that env sees one environment.
type flagLookuper struct{ c *cli.Context }

// Lookup implements envconfig.Lookuper.
func (l flagLookuper) Lookup(key string) (string, bool) {
	name, ok := strings.CutPrefix(key, envPrefix)
	if !ok {
		return "", false
	}
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	return l.c.String(name), l.c.IsSet(name)
}

// countFlag turns a flag where 0 means "none" into an option where 0 means
// "default" and a negative number "none".
func countFlag(c *cli.Context, name string) int {
	if c.IsSet(name) && c.Int(name) == 0 {
		return -1
	}
	return c.Int(name)
}

// deadline reads --deadline; zero means none.
func deadline(c *cli.Context) time.Duration { return c.Duration("deadline") }
