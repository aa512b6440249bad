package cli

import (
	"cmp"
	"io/fs"
	"slices"
	"strconv"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/digest"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
)

// extractionFlags say which files to extract, and where to.
func extractionFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "include", Aliases: []string{"i"}, Category: help.Select, Usage: "take what matches `GLOB`; the same as a PATH argument"},
		&cli.StringSliceFlag{Name: "exclude", Aliases: []string{"x"}, Category: help.Select, Usage: "leave out what matches `GLOB`"},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Category: help.Select, Usage: "`DIR` for the files; may contain {job}, {report} (default: $CI_PROJECT_DIR or .)"},
		&cli.IntFlag{Name: "strip-components", Category: help.Select, Usage: "drop the first `N` directories of each name"},
		&cli.BoolFlag{Name: "flat", Category: help.Select, Usage: "drop all directories of each name", DisableDefaultText: true},
		&cli.IntFlag{Name: "unpack", Category: help.Select, Usage: "also unpack archives among the files, `N` levels deep", DefaultText: "0"},
		&cli.StringFlag{Name: "on-conflict", Category: help.Select, Usage: "existing files: `WHAT` is overwrite, skip or fail", DefaultText: "overwrite"},
		&cli.StringFlag{Name: "symlinks", Category: help.Select, Usage: "links that point out: `HOW` is safe (refuse), skip (also what can't be created here) or all", DefaultText: "safe"},
		&cli.StringFlag{Name: "umask", Category: help.Select, Usage: "remove these permission `BITS`, such as 027, from every file", DefaultText: "none"},
		&cli.BoolFlag{Name: "allow-git", Category: help.Select, Usage: "let an archive write into .git directories", DisableDefaultText: true},
		&cli.StringFlag{Name: "sha256", Category: help.Select, Usage: "refuse an archive whose SHA-256 isn't `HEX`; downloads the whole archive", DefaultText: "any"},
		&cli.BoolFlag{Name: "verify-provenance", Category: help.Select, Usage: "check each file against the runner's provenance statement", DisableDefaultText: true},
		&cli.Int64Flag{Name: "max-bytes", Category: help.Transfer, Usage: "refuse an archive that unpacks to more than `N` bytes", DefaultText: "64 GiB"},
		&cli.IntFlag{Name: "max-files", Category: help.Transfer, Usage: "refuse an archive with more than `N` entries", DefaultText: "500000"},
		&cli.Int64Flag{Name: "max-ratio", Category: help.Transfer, Usage: "refuse what unpacks to over 1 GiB and `N` times its size", DefaultText: "1000"},
	}
}

// transferFlags say how to download archives. of describes them in the usage.
func transferFlags(of string) []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "concurrency", Category: help.Transfer, Usage: "use up to `N` connections" + of + ", if that is faster", DefaultText: "16"},
		&cli.StringFlag{Name: "cache-dir", Category: help.Transfer, Usage: "keep whole archives in `DIR`, to download each only once (default: off)"},
		&cli.Int64Flag{Name: "cache-max-size", Category: help.Transfer, Usage: "keep at most `N` bytes there, the most recently used", DefaultText: "10 GiB"},
	}
}

func ifMissingFlag() cli.Flag {
	return &cli.StringFlag{Name: "if-missing", Category: help.Select, Usage: "do `WHAT` if the job or archive is missing: fail, warn or ignore", DefaultText: "fail"}
}

// extractOptions are the values of [extractionFlags].
type extractOptions struct {
	output string // empty if it isn't given; see dir
	take   extract.Options
	stage  extract.StageOptions
	checks retrieve.Checks
}

// readExtraction reads the flags. paths are arguments, which select files like --include.
func readExtraction(c *cli.Context, paths []string) (extractOptions, error) {
	o := extractOptions{
		output: c.String("output"),
		take: extract.Options{
			Selection: extract.Selection{
				Include: slices.Concat(c.StringSlice("include"), paths), Exclude: c.StringSlice("exclude"),
				StripComponents: c.Int("strip-components"), Flat: c.Bool("flat"),
			},
			Limits: extract.Limits{MaxBytes: c.Int64("max-bytes"), MaxFiles: c.Int("max-files"), MaxRatio: c.Int64("max-ratio")},
			Unpack: c.Int("unpack"), AllowGit: c.Bool("allow-git"),
		},
		checks: retrieve.Checks{Provenance: c.Bool("verify-provenance")},
	}
	if sum := c.String("sha256"); sum != "" {
		var valid bool
		if o.checks.SHA256, valid = digest.Parse(sum); !valid {
			return o, usage("--sha256 is not a SHA-256", "it has 64 hexadecimal digits; artifetch resolve --format json prints it if the server sends it")
		}
	}
	if err := extract.CheckPatterns(slices.Concat(o.take.Include, o.take.Exclude)); err != nil {
		return o, err
	}
	if o.output == "-" {
		return o, usage("--output is a directory, and - means standard output elsewhere", "cat writes a file to standard output, fetch --archive - the archive; for a directory of that name, write ./-")
	}
	var err error
	o.stage, err = readStage(c.String("on-conflict"), c.String("symlinks"), c.String("umask"))
	return o, err
}

// readStage reads how to treat existing files.
func readStage(onConflict, symlinks, umask string) (o extract.StageOptions, err error) {
	var known bool
	if o.OnConflict, known = map[string]extract.ConflictPolicy{
		"": extract.Overwrite, "overwrite": extract.Overwrite, "skip": extract.SkipExisting, "fail": extract.FailIfExists,
	}[onConflict]; !known {
		return o, usage("--on-conflict must be overwrite, skip or fail", "leave it out to overwrite")
	}
	if o.Symlinks, known = map[string]extract.SymlinkPolicy{
		"": extract.SafeLinks, "safe": extract.SafeLinks, "skip": extract.SkipLinks, "all": extract.AllLinks,
	}[symlinks]; !known {
		return o, usage("--symlinks must be safe, skip or all", "leave it out to refuse links that point out")
	}
	if umask != "" {
		mask, err := strconv.ParseUint(umask, 8, 9)
		if err != nil {
			return o, usage("--umask must be an octal number up to 777", "027 removes writing for the group, and everything for others")
		}
		o.Umask = fs.FileMode(mask)
	}
	return o, nil
}

// dir returns where the files go: to --output, else to the job's project directory, else
// to the current directory.
func (o extractOptions) dir(cfg env.Config) string { return cmp.Or(o.output, cfg.Dir, ".") }

// transferOptions are the values of [transferFlags].
type transferOptions struct {
	connections int
	cache       retrieve.Cache
}

func readTransfer(c *cli.Context) transferOptions {
	return transferOptions{
		connections: retrieve.Connections(c.Int("concurrency")),
		cache:       retrieve.Cache{Dir: c.String("cache-dir"), Max: c.Int64("cache-max-size")},
	}
}

// missingPolicy says what to do if the job or its archive doesn't exist.
type missingPolicy string

// readMissing reads --if-missing.
func readMissing(c *cli.Context) (missingPolicy, error) {
	p := missingPolicy(cmp.Or(c.String("if-missing"), "fail"))
	if !slices.Contains([]missingPolicy{"fail", "warn", "ignore"}, p) {
		return p, usage("--if-missing must be fail, warn or ignore", "leave it out to fail")
	}
	return p, nil
}

// allow returns err unless the policy allows it; then it only logs the outcome.
func (p missingPolicy) allow(s *session, err error, outcome string) error {
	if p == "fail" || !retrieve.Missing(err) {
		return err
	}
	event := s.log.Warn()
	if p == "ignore" {
		event = s.log.Debug()
	}
	event.Err(err).Msg(outcome)
	return nil
}
