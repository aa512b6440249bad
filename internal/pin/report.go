package pin

import (
	"sort"

	"gitlab.com/artifetch/artifetch/manifest"
)

// Drifted reports whether the source differs from what is locked.
func (p *Plan) Drifted() bool {
	return p.Was == nil || p.Was.JobID != p.Entry.JobID || p.Changed
}

// Loaded reports whether Entry's files are known: they are as locked, or have been
// downloaded.
func (p *Plan) Loaded() bool { return !p.Drifted() || p.Entry.Files != nil }

// FileChange is a file that an update adds, removes or changes.
type FileChange struct {
	Path string
	Kind byte // '+', '-' or '~'
}

// Changes returns the files that differ from the locked ones, sorted by path.
func (p *Plan) Changes() []FileChange {
	before := map[string]manifest.LockFile{}
	if p.Before != nil {
		for _, f := range p.Before.Files {
			before[f.Path] = f
		}
	}
	var changed []FileChange
	for _, f := range p.Entry.Files {
		old, known := before[f.Path]
		delete(before, f.Path)
		switch {
		case !known:
			changed = append(changed, FileChange{f.Path, '+'})
		case old != f:
			changed = append(changed, FileChange{f.Path, '~'})
		}
	}
	for path := range before {
		changed = append(changed, FileChange{path, '-'})
	}
	sort.Slice(changed, func(i, j int) bool { return changed[i].Path < changed[j].Path })
	return changed
}

// ExtrasRemoved returns how many of the Extras Apply has removed.
func (s *Syncer) ExtrasRemoved() (n int) {
	removed := map[string]bool{}
	for _, path := range s.Pruned {
		removed[path] = true
	}
	for _, path := range s.Extras {
		if removed[path] {
			n++
		}
	}
	return n
}
