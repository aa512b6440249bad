package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/internal/digest"
	"gitlab.com/artifetch/artifetch/internal/printable"
)

// parseLock parses a lock file, and returns what is wrong with it, or "".
func parseLock(text []byte) (l Lock, what string) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // a byte order mark, as some editors write it
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&l)
	var head struct {
		Version json.RawMessage `json:"version"`
	}
	switch {
	case l.Version > lockVersion:
		return l, ""
	case err != nil:
		return l, jsonMistake(text, err)
	case l.Version < 1 && (json.Unmarshal(text[:d.InputOffset()], &head) != nil || head.Version == nil):
		return l, "it has no version"
	case l.Version < 1:
		return l, fmt.Sprintf("version %s is not known", head.Version)
	case len(bytes.TrimSpace(text[d.InputOffset():])) > 0:
		return l, "there is more text after its end"
	}
	return l, l.mistake()
}

// jsonMistake describes an error of package json without Go's types.
func jsonMistake(text []byte, err error) string {
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		value, number, _ := strings.Cut(kind.Value, " ") // such as "number 2.5", or only "number"
		what := map[string]string{"array": "a list", "object": "an object", "string": "a string", "bool": "true or false", "number": "the number " + number}[value]
		switch {
		case kind.Field == "" && value == "number":
			return "it is a number, not a JSON object"
		case kind.Field == "":
			return "it is " + what + ", not a JSON object"
		case value == "number" && number == "":
			what = "a number"
		}
		return kind.Field + " is " + what
	}
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
		before := text[:max(wrong.Offset-1, 0)]
		return fmt.Sprintf("line %d isn't JSON from column %d on", bytes.Count(before, []byte("\n"))+1, len(before)-bytes.LastIndexByte(before, '\n'))
	}
	_, badTime := errors.AsType[*time.ParseError](err)
	switch {
	case badTime || strings.HasPrefix(err.Error(), "Time."):
		return "a resolved_at isn't a time"
	case errors.Is(err, io.EOF):
		return "it is empty"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "its end is missing"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

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
	return s.mistakeInFiles()
}

func (s Locked) mistakeInFiles() string {
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
	case !isBelow(f.Path):
		return "outside the manifest's directory"
	case printable.HasHidden(f.Path) || printable.HasHidden(f.Name):
		return "with control characters in its name"
	case f.Name == "":
		return "without its name in the archive"
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

// isBelow reports whether a path is the clean path of a file below the manifest's directory.
func isBelow(file string) bool {
	return file != "" && file != "." && path.Clean(file) == file && !leadsOut(file)
}

func isDigest(text string) bool {
	clean, ok := digest.Parse(text)
	return ok && clean == text
}
