package manifest

import (
	"fmt"
	"path"
	"strconv"

	"gitlab.com/artifetch/artifetch/internal/digest"
	"gitlab.com/artifetch/artifetch/internal/printable"
)

// mistake returns an error that [Lock.Bytes] would never write, or "". People sometimes
// merge lock files by hand. A mistake there mustn't look like a changed archive, or like
// files that are in place.
func (l Lock) mistake() string {
	names := map[string]bool{}
	for _, s := range l.Sources {
		if names[s.Name] {
			return fmt.Sprintf("there are two sources %q", s.Name)
		}
		names[s.Name] = true
		if what := s.mistake(); what != "" {
			return fmt.Sprintf("source %q %s", s.Name, what)
		}
	}
	return ""
}

func (s Locked) mistake() string {
	switch {
	case !plainName.MatchString(s.Name):
		return "has a name that no source can have"
	case s.ProjectID < 0 || s.PipelineID < 0 || s.JobID < 0 || s.Size < 0:
		return "has a negative number"
	case s.SHA256 != "" && !isDigest(s.SHA256):
		return "has a sha256 that isn't a SHA-256"
	case s.Files == nil:
		return "has no list of files"
	case s.JobID == 0 && len(s.Files) > 0:
		return "has files, but no job"
	}
	type key struct{ path, name string }
	seen := map[key]bool{}
	for _, f := range s.Files {
		if what := f.mistake(); what != "" {
			return fmt.Sprintf("has the file %q %s", f.Path, what)
		}
		if seen[key{f.Path, f.Name}] {
			return fmt.Sprintf("has the file %q twice", f.Path)
		}
		seen[key{f.Path, f.Name}] = true
	}
	return ""
}

func (f LockFile) mistake() string {
	mode, err := strconv.ParseUint(f.Mode, 8, 32)
	switch {
	case f.Path == "" || path.Clean(f.Path) != f.Path || f.Path == "." || leadsOut(f.Path):
		return "outside the manifest's directory"
	case printable.HasHidden(f.Path) || printable.HasHidden(f.Name):
		return "with control characters in its name"
	case f.Target != "":
		if f.Mode+f.SHA256 != "" || f.Size != 0 {
			return "that is both a file and a link"
		}
	case err != nil || mode > 0o777:
		return "with a mode that isn't one"
	case f.Size < 0:
		return "with a negative size"
	case !isDigest(f.SHA256):
		return "with a sha256 that isn't a SHA-256"
	}
	return ""
}

func isDigest(text string) bool {
	clean, ok := digest.Parse(text)
	return ok && clean == text
}
