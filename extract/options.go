package extract

import (
	"errors"
	"io/fs"

	"gitlab.com/artifetch/artifetch/extract/internal/staging"
	"gitlab.com/artifetch/artifetch/extract/internal/unzip"
)

// Options say how to add an archive to a stage. The zero value takes everything.
type Options struct {
	Selection
	Limits
	Pace
	Events

	// AllowGit accepts entries with a component ".git".
	AllowGit bool
	// Unpack is how many levels of nested archives are unpacked: files whose names end
	// in .zip, .7z, .tar, .gz and the like. Their content replaces them when the stage
	// is committed. Zero leaves them as they are.
	Unpack int
	// BareName is the name of the file if src isn't an archive but a single compressed
	// file. If it is empty, such a file is refused.
	BareName string
	// Digests are the SHA-256 that files must have, in lower-case hexadecimal, by
	// their names in the archive. A file without one is refused. Nil accepts any.
	Digests map[string]string
	// Label names the archive in an error about several.
	Label string

	budget *budget // of Limits
	again  *repeats
}

// Pace says how hard to work on an archive. The zero value is ready to use.
type Pace = unzip.Pace

// Selection says what to take out of an archive, and where to put it. The zero value
// takes everything.
type Selection struct {
	// Include selects by name: a file, a directory (everything below it) or a
	// doublestar glob. Empty selects everything. Each must match something.
	Include []string
	// Exclude leaves out, in the same way.
	Exclude []string
	// StripComponents is how many directories to drop from the front of each name.
	StripComponents int
	// Flat drops all directories.
	Flat bool
	// Prefix is a directory below the output directory to put everything into.
	Prefix string
}

// Events are called while an archive is extracted, from any goroutine. All may be
// nil.
type Events struct {
	// OnFile is called for each file in the stage, but not for archives that are
	// unpacked further (see Options.Unpack).
	OnFile func(name string, size int64)
	// OnLink is called for each symbolic link that will be made.
	OnLink func(name, target string)
	// OnPlan is called with the number of bytes of the archive that will be read, and
	// OnRead, as they arrive, with those that were. The archive's directory doesn't
	// count; what is read between files does.
	OnPlan func(bytes int64)
	OnRead func(n int)
	// Record is called for each file and link, with the file's SHA-256. Hard links and
	// the files of AddFiles aren't recorded.
	Record func(Recorded)
	// OnNoMatch is called with the patterns that select nothing in this archive. Nil
	// makes that an error.
	OnNoMatch func(*NoMatchError)
}

// unmatched passes a [*NoMatchError] to OnNoMatch. It returns other errors.
func (e Events) unmatched(err error) error {
	missing, ok := errors.AsType[*NoMatchError](err)
	if !ok || e.OnNoMatch == nil {
		return err
	}
	e.OnNoMatch(missing)
	return nil
}

func (e Events) withDefaults() Events {
	if e.OnFile == nil {
		e.OnFile = func(string, int64) {}
	}
	if e.OnLink == nil {
		e.OnLink = func(string, string) {}
	}
	if e.OnPlan == nil {
		e.OnPlan = func(int64) {}
	}
	if e.OnRead == nil {
		e.OnRead = func(int) {}
	}
	return e
}

func (o Options) withDefaults() Options {
	o.Events, o.Limits = o.Events.withDefaults(), o.Limits.withDefaults()
	if o.budget == nil {
		o.budget = newBudget(o.Limits)
	}
	if o.again == nil {
		o.again = new(repeats)
	}
	return o
}

// StageOptions say how the extracted files meet existing ones. The zero value is
// ready to use.
type StageOptions struct {
	// OnConflict says what happens to files that exist already. Zero replaces them.
	OnConflict ConflictPolicy
	// Symlinks says what happens to links that point out of the output directory. Zero
	// refuses the archive. SkipLinks also leaves out links that can't be made here.
	Symlinks SymlinkPolicy
	// Umask is the permission bits that files and directories don't get, whatever the
	// archive says. Zero drops none. Directories that no archive lists follow the
	// umask of the process.
	Umask fs.FileMode
	// Reserved is a file that the caller writes after the commit, relative to the working
	// directory. Commit refuses archives that have a file or directory there, or a file
	// in the place of one of its directories. Empty means none.
	Reserved string
	// OnSkip is called for each file and link that is left out, with the reason, from
	// any goroutine.
	OnSkip func(path, reason string)
	// OnRescue is called for each file that a killed run had moved away, after it was
	// restored, or kept because it couldn't be.
	OnRescue func(Rescued)
	// OnLeftover is called if a stage can't be removed. The next run will try again.
	OnLeftover func(dir string, err error)
}

func (o StageOptions) withDefaults() StageOptions {
	if o.OnSkip == nil {
		o.OnSkip = func(string, string) {}
	}
	if o.OnRescue == nil {
		o.OnRescue = func(Rescued) {}
	}
	if o.OnLeftover == nil {
		o.OnLeftover = func(string, error) {}
	}
	o.Umask &= fs.ModePerm
	return o
}

// ConflictPolicy says what happens to files that exist already. A file in the place
// of a directory, or a directory in the place of a file, is always an error.
type ConflictPolicy = staging.ConflictPolicy

// What can be done with existing files.
const (
	Overwrite    = staging.Overwrite    // replace them
	SkipExisting = staging.SkipExisting // keep them
	FailIfExists = staging.FailIfExists // extract nothing
)

// SymlinkPolicy says what happens to symbolic links that point out of the output
// directory. With any policy, nothing is written through one.
type SymlinkPolicy int

// What can be done with links that point out.
const (
	SafeLinks SymlinkPolicy = iota // refuse the archive
	SkipLinks                      // leave them out
	AllLinks                       // make them
)

// Stats counts what was extracted.
type Stats struct {
	Files, Dirs, Links int
	Bytes              int64 // of files, uncompressed

	Again      int   // of the files, those that another archive has brought as well
	AgainBytes int64 // of these
}

func (s *Stats) add(e *entry) {
	switch {
	case e.IsDir():
		s.Dirs++
	case e.IsLink():
		s.Links++
	default:
		s.Files++
		s.Bytes += e.Size
	}
}
