package extract

import (
	"io/fs"
	"math"
	"runtime"
)

// StageOptions say how what is extracted meets what is there. The zero value is
// ready to use.
type StageOptions struct {
	// OnConflict says what happens to files that are there already. Zero means
	// that they are replaced.
	OnConflict ConflictPolicy
	// Symlinks says what happens to links that point out of the output directory.
	// Zero means that the archive is refused.
	Symlinks SymlinkPolicy
	// Umask is the permission bits that files and directories do not get, whatever
	// the archive says. Zero drops none; that of the process rules directories
	// that no archive lists.
	Umask fs.FileMode
	// OnSkip is told about each file and link that is left out, and why, from any
	// goroutine.
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

// ConflictPolicy says what happens to files that are there already. It does not
// rule a file in the place of a directory, and the reverse: that is always an
// error.
type ConflictPolicy int

// What can be done with files that are there.
const (
	Overwrite    ConflictPolicy = iota // the new file takes their place
	SkipExisting                       // they stay as they are
	FailIfExists                       // nothing is extracted
)

// SymlinkPolicy says what happens to symbolic links that point out of the output
// directory. Whatever it is, nothing is written through one.
type SymlinkPolicy int

// What can be done with links that point out.
const (
	SafeLinks SymlinkPolicy = iota // the archive is refused
	SkipLinks                      // they are left out
	AllLinks                       // they are made
)

// Options say what to take out of an archive, and where to. The zero value takes
// everything.
type Options struct {
	// Include selects by name: a file, a directory (all below it) or a glob of
	// doublestar. None selects all. Each must match something.
	Include []string
	// Exclude leaves out, in the same way.
	Exclude []string
	// StripComponents drops so many directories from the front of each name.
	StripComponents int
	// Flat drops all directories.
	Flat bool
	// Prefix is a directory below the output that everything is put into.
	Prefix string
	// Workers is how many regions are read and decompressed at the same time to
	// begin with. Zero means one per CPU, and one.
	Workers int
	// Connections is how many there may be at most, if more bring more. Zero means
	// no more than Workers.
	Connections int
	// Share is how many archives are added at the same time: each takes its part of
	// the memory for large entries. Zero means one.
	Share int
	// Costly tells that each request is dear to the server, as it is where GitLab
	// itself serves the bytes and not its object storage: fewer and longer ones are
	// made.
	Costly bool
	// Strain counts how often the server has refused or broken off a request so
	// far. When it rises, half of the connections are given up. Nil means never.
	Strain func() int64
	// MaxBytes limits the size of what is extracted. Zero means 64 GiB.
	MaxBytes int64
	// MaxRatio limits how many times its own size an archive unpacks to, once that
	// is more than 1 GiB. Zero means 1000: DEFLATE reaches 1032 (RFC 1951), the most
	// repetitive logs somewhat less.
	MaxRatio int64
	// MaxFiles limits the number of entries, and of the directories that they need.
	// Zero means 500,000.
	MaxFiles int
	// AllowGit lets entries through that have a component ".git".
	AllowGit bool
	// Unpack is how deep archives within the archive are unpacked in turn, where they
	// lie and in their own place: files whose names end in .zip, .7z, .tar, .gz and
	// the like. That happens when the stage is committed. Zero leaves them as they are.
	Unpack int
	// BareName is the name of what is no archive but a single compressed file. Without
	// one it is refused.
	BareName string
	// Digests are the SHA-256 that files must have, in lower-case hexadecimal, by
	// their names in the archive. A file without one is refused. Nil means any.
	Digests map[string]string
	// Label names the archive in an error that is about several.
	Label string
	// OnFile is told about each file that is in the stage, from any goroutine. What is
	// unpacked further (see Unpack) is none.
	OnFile func(name string, size int64)
	// OnLink is told about each symbolic link that will be made, from any goroutine.
	OnLink func(name, target string)
	// OnPlan is told how many bytes of the archive are going to be read, and OnRead, as
	// they come, how many were, both from any goroutine. What is looked up in the
	// archive does not count, and what is over-read between files does.
	OnPlan func(bytes int64)
	OnRead func(n int)
	// Record is told about each file and link, with the file's SHA-256, from any
	// goroutine. Hard links and what AddFiles adds are not recorded.
	Record func(Recorded)

	spent *spent // of the limits
}

// costlyConnections is how many requests are made at once where each is dear.
const costlyConnections = 4

const (
	defaultMaxBytes = 64 << 30
	defaultMaxFiles = 500_000
	defaultMaxRatio = 1000
	freeRatio       = 1 << 30 // bytes that may come of any archive
)

func (o Options) withDefaults() Options {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0) + 1 // one may wait for bytes
	}
	if o.Connections <= 0 {
		o.Connections = o.Workers
	}
	if o.Costly {
		o.Connections = min(o.Connections, costlyConnections)
	}
	o.Workers = min(o.Workers, o.Connections)
	if o.Strain == nil {
		o.Strain = func() int64 { return 0 }
	}
	o.Share = max(o.Share, 1)
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.MaxFiles <= 0 {
		o.MaxFiles = defaultMaxFiles
	}
	if o.MaxRatio <= 0 {
		o.MaxRatio = defaultMaxRatio
	}
	if o.OnFile == nil {
		o.OnFile = func(string, int64) {}
	}
	if o.OnLink == nil {
		o.OnLink = func(string, string) {}
	}
	if o.OnPlan == nil {
		o.OnPlan = func(int64) {}
	}
	if o.OnRead == nil {
		o.OnRead = func(int) {}
	}
	if o.spent == nil {
		o.spent = &spent{archive: math.MaxInt64}
	}
	return o
}

// Stats counts what was extracted.
type Stats struct {
	Files, Dirs, Links int
	Bytes              int64 // of files, uncompressed
}

func (s *Stats) add(e *entry) {
	switch {
	case e.isDir():
		s.Dirs++
	case e.isLink():
		s.Links++
	default:
		s.Files++
		s.Bytes += e.size
	}
}
