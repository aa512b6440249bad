package extract

import (
	"fmt"
	"strings"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/names"
	"gitlab.com/artifetch/artifetch/extract/internal/staging"
)

// The errors that refuse an archive.
type (
	// UnsafeError refuses an archive that would do harm. Nothing was written.
	UnsafeError = archive.UnsafeError
	// LimitError refuses an archive that is larger than allowed.
	LimitError = archive.LimitError
	// CorruptError reports damage: the archive contradicts itself.
	CorruptError = archive.CorruptError
)

// The errors of putting files into place.
type (
	// ConflictError reports two things that can't both have one path.
	ConflictError = staging.ConflictError
	// UnfitError reports a selected entry that this system or file system can't store,
	// though others can. The archive isn't at fault.
	UnfitError = staging.UnfitError
	// RescueError reports files that couldn't be restored after a commit failed. They
	// are kept elsewhere.
	RescueError = staging.RescueError
	// Rescued is a file that a failed or killed run had moved away.
	Rescued = staging.Rescued
)

// ReasonGit is why an [UnsafeError] refuses a name below .git, whose hooks Git runs. See
// [Options].AllowGit.
const ReasonGit = names.ReasonGit

// NotArchiveError reports a body that isn't an archive.
type NotArchiveError struct {
	What  string // such as "an HTML page"
	Head  string // how it begins
	Local bool   // it is a local file, not a server's response
	Gzip  bool   // it should have been a gzip file
}

// Error implements error.
func (e *NotArchiveError) Error() string {
	text := "not an archive: got " + e.What
	if e.Gzip {
		text = "not a gzip file: got " + e.What
	}
	if e.Head != "" {
		text += fmt.Sprintf(": %q", e.Head)
	}
	return text
}

// Hint says what to do next.
func (e *NotArchiveError) Hint() string {
	switch {
	case strings.HasPrefix(e.What, "a single "):
		return "give the file itself, and not its content on standard input"
	case strings.Contains(e.What, "HTML"):
		return "a login page, or a proxy in between: check the server's address and the token"
	case e.Local:
		return "use the file itself: reports, such as junit.xml, are stored without an archive"
	}
	return "check the server's address, and any proxy in between"
}

// UnsupportedError reports an archive in a format that can't be unpacked.
type UnsupportedError struct {
	Format string // such as "a RAR archive"
}

// Error implements error.
func (e *UnsupportedError) Error() string { return "cannot unpack " + e.Format }

// Hint says what to do next.
func (*UnsupportedError) Hint() string {
	return "repack it as zip, 7z, or a tar compressed by gzip, bzip2, xz, zstd, lz4, lzip or lzma"
}

// NotZipError reports an archive that can only be extracted: only a zip archive has a
// directory, so that it can be listed, or single files be read.
type NotZipError struct{ Format string } // such as "tar"

// Error implements error.
func (e *NotZipError) Error() string {
	return "only zip archives can be listed and read in part; this is in the format " + e.Format
}

// Hint says what to do next.
func (*NotZipError) Hint() string { return "artifetch fetch downloads and extracts it" }

// NoMatchError reports patterns that select nothing.
type NoMatchError struct {
	Patterns []string
	Meant    string   // a glob that matches and that the first pattern may have been meant to be
	Near     []string // names that look like the first pattern
	Top      []string // names at the top of the archive, those of directories with a slash
	IsDir    bool     // the one pattern is the name of a directory, and must be the name of a file
	Reports  int      // how many reports of a job were searched; 0 means an archive
}

// Error implements error.
func (e *NoMatchError) Error() string {
	if e.IsDir {
		return quoteAll(e.Patterns) + " is a directory"
	}
	return "no file matches " + quoteAll(e.Patterns)
}

// Hint says what to do next.
func (e *NoMatchError) Hint() string {
	where, has, its := "archive", "has", "its"
	switch {
	case e.Reports > 1:
		where, has, its = "reports", "have", "their"
	case e.Reports == 1:
		where = "report"
	}
	switch {
	case e.IsDir:
		return "name a file in it"
	case e.Meant != "":
		return "did you mean '" + e.Meant + "'?"
	case len(e.Near) > 0:
		return "the " + where + " " + has + " " + quoteAll(e.Near)
	}
	hint := "names are as in the " + where + ", with no leading slash; ** crosses directories, * does not"
	if len(e.Top) > 0 {
		hint = "at " + its + " top, the " + where + " " + has + " " + strings.Join(e.Top, ", ") + "; " + hint
	}
	return hint
}

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(quoted, ", ")
}

// SeveralFilesError reports a report with several files, or none, where one is needed.
type SeveralFilesError struct{ Names []string }

func severalFiles(listed []Listed) *SeveralFilesError {
	e := &SeveralFilesError{}
	for _, l := range listed {
		e.Names = append(e.Names, l.Name)
	}
	return e
}

// Error implements error.
func (e *SeveralFilesError) Error() string {
	return fmt.Sprintf("the report has %d files, but only one can be written", len(e.Names))
}

// Hint says what to do next.
func (e *SeveralFilesError) Hint() string {
	return "name one of them: " + quoteAll(e.Names[:min(len(e.Names), maxTop)])
}
