package extract

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"unicode/utf8"
)

// UnfitError reports a selected entry that the system, or the file system, cannot
// have. Other systems can: there is nothing wrong with the archive.
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
	return "nothing was extracted; leave it out with --exclude (-x), or use another system"
}

// unfit gives the reason why the platform cannot have a file of that name, or "".
// It is asked about what is selected: what nobody wants does not matter.
func (r rules) unfit(path string) string {
	switch {
	case r.backslash && strings.ContainsAny(path, `\:*?"<>|`):
		return `it has one of the characters \:*?"<>|`
	case r.utf8 && !utf8.ValidString(path):
		return "it isn't UTF-8"
	case !r.backslash:
		return ""
	}
	for part := range strings.SplitSeq(path, "/") {
		if isReserved(part) {
			return fmt.Sprintf("%q is another name, or a device, to Windows", part)
		}
	}
	return ""
}

// unfitHere makes an [UnfitError] of the error of a call that makes something of
// that name, if it says that the file system doesn't take the name.
func unfitHere(name string, err error) error {
	switch {
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.EILSEQ):
		return &UnfitError{name, "the file system doesn't take the name"}
	case errors.Is(err, syscall.ENAMETOOLONG):
		return &UnfitError{name, "it is too long for the file system"}
	}
	return err
}

// places knows what goes where, to find entries that cannot stand side by side:
// because a change of names puts them into one place, or because the file system
// takes their names for one.
type places struct {
	rules rules
	taken map[string]place // by key
}

// place is what one entry takes.
type place struct {
	dest  string
	by    string // the entry's name
	isDir bool
}

func newPlaces(r rules, n int) *places { return &places{r, make(map[string]place, n)} }

// add takes the place of an entry, and those of the directories above it.
func (p *places) add(e *entry) error {
	if reason := p.rules.unfit(e.dest); reason != "" {
		return &UnfitError{e.name, reason}
	}
	if err := p.take(place{e.dest, e.name, e.isDir()}); err != nil {
		return err
	}
	for dir := parent(e.dest); dir != ""; dir = parent(dir) {
		if known, taken := p.taken[p.rules.key(dir)]; taken && known.isDir {
			return nil // and so are those above it
		}
		if err := p.take(place{dir, e.name, true}); err != nil {
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
	return &UnfitError{new.by, fmt.Sprintf("the file system takes it for %q", old.by)}
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
