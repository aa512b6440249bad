package cli

import (
	"io/fs"
	"slices"
	"strconv"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/digest"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
)

// extraction is what fetch and extract have in common: which files go where, and
// what they may be.
type extraction struct {
	extract extract.Options
	stage   extract.StageOptions
	checks  retrieve.Checks
}

// newExtraction reads the flags; paths are the arguments that select.
func newExtraction(c *cli.Context, s *session, paths []string) (extraction, error) {
	x := extraction{
		extract: extract.Options{
			Selection: extract.Selection{
				Include:         slices.Concat(c.StringSlice("include"), paths),
				Exclude:         c.StringSlice("exclude"),
				StripComponents: c.Int("strip-components"),
				Flat:            c.Bool("flat"),
			},
			Unpack: c.Int("unpack"),
			Limits: extract.Limits{
				MaxBytes: c.Int64("max-bytes"),
				MaxFiles: c.Int("max-files"),
				MaxRatio: c.Int64("max-ratio"),
			},
			AllowGit: c.Bool("allow-git"),
		},
		checks: retrieve.Checks{Provenance: c.Bool("verify-provenance")},
	}
	var valid bool
	if x.checks.SHA256, valid = digest.Parse(c.String("sha256")); !valid && c.IsSet("sha256") {
		return x, &usageError{"--sha256 is no SHA-256", "it has 64 hexadecimal digits; resolve --format json prints it where the server tells"}
	}
	if err := extract.CheckPatterns(slices.Concat(x.extract.Include, x.extract.Exclude)); err != nil {
		return x, err
	}
	var err error
	x.stage, err = readStageOptions(c, s)
	return x, err
}

// stageOptions returns the callbacks that log what a stage reports.
func (s *session) stageOptions() extract.StageOptions {
	return extract.StageOptions{
		OnRescue: func(r extract.Rescued) {
			if r.At == r.Path {
				s.log.Warn().Str("path", r.Path).Msg("restored a file that a killed run had moved away")
				return
			}
			s.log.Warn().Str("path", r.Path).Str("now", r.At).Msg("cannot restore a file that a killed run had moved away; move it back by hand")
		},
		OnLeftover: func(dir string, err error) {
			s.log.Warn().Str("path", dir).Err(err).Msg("cannot remove the staging directory; the next run tries again")
		},
	}
}

// readStageOptions reads what decides between what comes and what is there.
func readStageOptions(c *cli.Context, s *session) (extract.StageOptions, error) {
	o := s.stageOptions()
	o.OnSkip = func(path, reason string) {
		s.log.Warn().Str("path", path).Str("because", reason).Msg("left out")
	}
	var known bool
	if o.OnConflict, known = map[string]extract.ConflictPolicy{
		"": extract.Overwrite, "overwrite": extract.Overwrite, "skip": extract.SkipExisting, "fail": extract.FailIfExists,
	}[c.String("on-conflict")]; !known {
		return o, &usageError{"--on-conflict is none of overwrite, skip, fail", "leave it out to overwrite"}
	}
	if o.Symlinks, known = map[string]extract.SymlinkPolicy{
		"": extract.SafeLinks, "safe": extract.SafeLinks, "skip": extract.SkipLinks, "all": extract.AllLinks,
	}[c.String("symlinks")]; !known {
		return o, &usageError{"--symlinks is none of safe, skip, all", "leave it out to refuse links that point out"}
	}
	if bits := c.String("umask"); bits != "" {
		mask, err := strconv.ParseUint(bits, 8, 9)
		if err != nil {
			return o, &usageError{"--umask is no octal number of up to 777", "027 takes writing from the group, and everything from others"}
		}
		o.Umask = fs.FileMode(mask)
	}
	return o, nil
}
