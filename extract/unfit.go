package extract

import (
	"fmt"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// destinations finds selected entries that would get the same path: because their names
// were changed, or because the file system ignores how the names differ.
type destinations struct {
	rules names.Rules
	taken map[string]destination // by key
}

// destination is a path in the output directory, and the entry that needs it.
type destination struct {
	dest  string
	by    string // name of the entry
	isDir bool
}

func newDestinations(r names.Rules, n int) *destinations {
	return &destinations{r, make(map[string]destination, n)}
}

// add checks an entry and the directories that it needs.
func (p *destinations) add(e *entry) error {
	if reason := p.rules.Unfit(e.dest); reason != "" {
		return &UnfitError{Entry: e.Name, Reason: reason}
	}
	if err := p.take(destination{e.dest, e.Name, e.IsDir()}); err != nil {
		return err
	}
	for dir := names.Parent(e.dest); dir != ""; dir = names.Parent(dir) {
		if known, taken := p.taken[p.rules.Key(dir)]; taken && known.isDir {
			return nil // and so are its parents
		}
		if err := p.take(destination{dir, e.Name, true}); err != nil {
			return err
		}
	}
	return nil
}

func (p *destinations) take(new destination) error {
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

// fit returns an error if selected entries can't all be written.
func fit(r names.Rules, selected []*entry) error {
	p := newDestinations(r, len(selected))
	for _, e := range selected {
		if err := p.add(e); err != nil {
			return err
		}
	}
	return nil
}
