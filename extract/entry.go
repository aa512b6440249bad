package extract

import (
	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/names"
	"gitlab.com/artifetch/artifetch/extract/internal/zipfile"
)

// entry is an entry of an archive, and the place where it goes.
type entry struct {
	*archive.Header
	zip  *zipfile.Entry // nil in other formats
	path string         // the cleaned name; "" is the output directory itself
	dest string         // where it goes, relative to the output directory
}

// kind returns what the entry makes of its path.
func (e *entry) kind() kind {
	if e.IsDir() {
		return dirKind
	}
	return otherKind
}

// check cleans all names and refuses entries that exclude each other: two with the same
// name (a directory may repeat), or one below another that isn't a directory. It checks
// all entries, selected or not: if one is bad, the others can't be trusted either.
func check(entries []*entry, r names.Rules, o Options) error {
	if err := o.budget.Entries(int64(len(entries))); err != nil {
		return err
	}
	known := newKinds(len(entries))
	for _, e := range entries {
		path, err := r.Clean(e.Name, o.AllowGit)
		if err != nil {
			return err
		}
		e.path = path
		if path == "" && !e.IsDir() {
			return &UnsafeError{Entry: e.Name, Reason: "the name is that of the directory itself"}
		}
		if before := known.of(path); before != unknownKind && !(before == dirKind && e.IsDir()) {
			return &UnsafeError{Entry: e.Name, Reason: "another entry has the same name"}
		}
		known.set(path, e.kind())
	}
	return checkParents(entries, known, o.budget)
}

// checkParents also counts directories that no entry lists: a short name can need two
// hundred of them.
func checkParents(entries []*entry, known kinds, b *budget) error {
	checked := newKinds(0) // directories whose parents were checked
	for _, e := range entries {
		for dir := names.Parent(e.path); dir != ""; dir = names.Parent(dir) {
			if checked.of(dir) != unknownKind {
				break
			}
			switch known.of(dir) {
			case unknownKind:
				known.set(dir, dirKind)
			case dirKind:
			default:
				return &UnsafeError{Entry: e.Name, Reason: "it is below " + dir + ", which isn't a directory"}
			}
			checked.set(dir, dirKind)
			if err := b.Entries(int64(len(known.paths))); err != nil {
				return err
			}
		}
	}
	return nil
}
