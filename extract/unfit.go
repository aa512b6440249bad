package extract

import (
	"fmt"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// places finds selected entries that would have the same path: because their names
// were changed, or because the file system ignores how the names differ.
type places struct {
	rules names.Rules
	taken map[string]place // by key
}

// place is a path in the output directory, and the entry that needs it.
type place struct {
	dest  string
	by    string // name of the entry
	isDir bool
}

func newPlaces(r names.Rules, n int) *places { return &places{r, make(map[string]place, n)} }

// add checks an entry and the directories that it needs.
func (p *places) add(e *entry) error {
	if reason := p.rules.Unfit(e.dest); reason != "" {
		return &UnfitError{Entry: e.Name, Reason: reason}
	}
	if err := p.take(place{e.dest, e.Name, e.IsDir()}); err != nil {
		return err
	}
	for dir := names.Parent(e.dest); dir != ""; dir = names.Parent(dir) {
		if known, taken := p.taken[p.rules.Key(dir)]; taken && known.isDir {
			return nil // and so are its parents
		}
		if err := p.take(place{dir, e.Name, true}); err != nil {
			return err
		}
	}
	return nil
}

func (p *places) take(new place) error {
	key := p.rules.Key(new.dest)
	old, taken := p.taken[key]
	switch {
	case !taken:
		p.taken[key] = new
		return nil
	case old.isDir && new.isDir:
		return nil
	case old.dest == new.dest:
		return &ConflictError{Path: new.dest, Reason: fmt.Sprintf("both %q and %q would be put here", old.by, new.by)}
	}
	return &UnfitError{Entry: new.by, Reason: fmt.Sprintf("to the file system it is the same as %q", old.by)}
}

// fit checks a selection.
func fit(r names.Rules, selected []*entry) error {
	p := newPlaces(r, len(selected))
	for _, e := range selected {
		if err := p.add(e); err != nil {
			return err
		}
	}
	return nil
}
