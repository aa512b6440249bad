package extract

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"unicode/utf8"
)

// UnfitError reports a selected entry that this system or file system can't store,
// though others can. The archive isn't at fault.
type UnfitError struct {
	Entry  string // as it stands in the archive
	Reason string
}

// Error implements error.
func (e *UnfitError) Error() string {
	return fmt.Sprintf("this system can't have a file named %q: %s", e.Entry, e.Reason)
}

// Hint says what to do next.
func (*UnfitError) Hint() string {
	return "nothing was extracted; leave it out, or use another system"
}

// unfit returns the reason why the platform can't have a file of that name, or "".
// Only selected entries need to fit.
func (r rules) unfit(path string) string {
	switch {
	case r.backslash && strings.ContainsAny(path, `\:*?"<>|`):
		return `it contains one of \:*?"<>|`
	case r.utf8 && !utf8.ValidString(path):
		return "it isn't UTF-8"
	case !r.backslash:
		return ""
	}
	for part := range strings.SplitSeq(path, "/") {
		if isReserved(part) {
			return fmt.Sprintf("Windows reads %q as another name or a device", part)
		}
	}
	return ""
}

// unfitHere returns an [UnfitError] if err says that the file system rejects the
// name of a file that was to be created, and else err itself.
func unfitHere(name string, err error) error {
	switch {
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.EILSEQ):
		return &UnfitError{name, "the file system rejects the name"}
	case errors.Is(err, syscall.ENAMETOOLONG):
		return &UnfitError{name, "it is too long for the file system"}
	}
	return err
}

// places finds selected entries that would have the same path: because their names
// were changed, or because the file system ignores how the names differ.
type places struct {
	rules rules
	taken map[string]place // by key
}

// place is a path in the output directory, and the entry that needs it.
type place struct {
	dest  string
	by    string // name of the entry
	isDir bool
}

func newPlaces(r rules, n int) *places { return &places{r, make(map[string]place, n)} }

// add checks an entry and the directories that it needs.
func (p *places) add(e *entry) error {
	if reason := p.rules.unfit(e.dest); reason != "" {
		return &UnfitError{e.Name, reason}
	}
	if err := p.take(place{e.dest, e.Name, e.IsDir()}); err != nil {
		return err
	}
	for dir := parent(e.dest); dir != ""; dir = parent(dir) {
		if known, taken := p.taken[p.rules.key(dir)]; taken && known.isDir {
			return nil // and so are its parents
		}
		if err := p.take(place{dir, e.Name, true}); err != nil {
			return err
		}
	}
	return nil
}

func (p *places) take(new place) error {
	key := p.rules.key(new.dest)
	old, taken := p.taken[key]
	switch {
	case !taken:
		p.taken[key] = new
		return nil
	case old.isDir && new.isDir:
		return nil
	case old.dest == new.dest:
		return &ConflictError{new.dest, fmt.Sprintf("both %q and %q would be put here", old.by, new.by)}
	}
	return &UnfitError{new.by, fmt.Sprintf("to the file system it is the same as %q", old.by)}
}

// fit checks a selection.
func (r rules) fit(selected []*entry) error {
	p := newPlaces(r, len(selected))
	for _, e := range selected {
		if err := p.add(e); err != nil {
			return err
		}
	}
	return nil
}
