package pin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/manifest"
)

// pruned returns the files that a commit removes: those that are no longer locked and
// haven't changed since, and Extras.
func (s *Syncer) pruned(ctx context.Context, plans []*Plan) (paths []string) {
	stays := map[string]bool{}
	for _, p := range plans {
		for _, f := range p.Entry.Files {
			stays[f.Path] = true
		}
	}
	for _, entry := range s.Lock.Sources {
		for _, f := range entry.Files {
			if stays[f.Path] {
				continue
			}
			stays[f.Path] = true // it may have moved to another source
			switch s.different(ctx, f) {
			case "":
				paths = append(paths, f.Path)
			case Missing:
			default:
				if s.Events.Kept != nil {
					s.Events.Kept(entry.Name, f.Path)
				}
			}
		}
	}
	for _, file := range s.Extras {
		if !stays[file] {
			paths = append(paths, file)
		}
	}
	return paths
}

// clash returns an [*extract.ConflictError] if two sources have different files of the same
// path. The stage only knows of those that were downloaded.
func clash(plans []*Plan) error {
	type owned struct {
		manifest.LockFile
		source string
	}
	seen := map[string]owned{}
	for _, p := range plans {
		for _, f := range p.Entry.Files {
			other, known := seen[f.Path]
			seen[f.Path] = owned{f, p.Source.Name}
			f.Name, other.Name = "", ""
			if known && f != other.LockFile {
				return &extract.ConflictError{Path: f.Path, Reason: fmt.Sprintf("the sources %s and %s both have it, with different content", other.source, p.Source.Name), Twice: true}
			}
		}
	}
	return nil
}

// Dropped returns the entries of sources that are no longer in the manifest.
func (w Workspace) Dropped() []manifest.Locked {
	return slices.DeleteFunc(slices.Clone(w.Lock.Sources), func(e manifest.Locked) bool { return w.Has(e.Name) })
}

// Removable returns the extra files in outputs that belong to one source alone.
func (w Workspace) Removable() (paths []string, err error) {
	locked := map[string]bool{}
	for _, entry := range w.Lock.Sources {
		for _, f := range entry.Files {
			locked[f.Path] = true
		}
	}
	found, err := w.extra(locked)
	for _, d := range found {
		if d.Removable {
			paths = append(paths, d.Path)
		}
	}
	return paths, err
}

// alone reports whether only one source has files in its output: it isn't the manifest's
// directory, and neither contains another source's output nor is in one.
func (w Workspace) alone(source manifest.Source) bool {
	dir := Output(source)
	shared := func(s manifest.Source) bool {
		other := Output(s)
		return s.Name != source.Name && other != "" && (within(other, dir) || within(dir, other))
	}
	return dir != "" && !slices.ContainsFunc(w.Manifest.Sources, shared)
}

// within reports whether a directory is another one or is below it.
func within(dir, other string) bool { return strings.HasPrefix(dir+"/", other+"/") }
