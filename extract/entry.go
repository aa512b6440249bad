package extract

import (
	"io/fs"
	"strings"
	"time"
)

// entry is a file, directory or link of an archive.
type entry struct {
	name    string      // as the archive means it
	stored  string      // as its bytes stand in a zip
	path    string      // cleaned; "" is the directory itself
	dest    string      // where it goes, relative to the output directory
	mode    fs.FileMode // type and permission bits
	modTime time.Time   // zero if unknown
	size    int64       // uncompressed, in bytes

	crc    uint32 // of its content
	summed bool   // there is one, in a 7z archive

	// of zip entries
	method uint16
	flags  uint16
	packed int64 // compressed size
	offset int64 // of the local file header
	end    int64 // where the next header, or the directory, begins
}

func (e *entry) isDir() bool  { return e.mode.IsDir() }
func (e *entry) isLink() bool { return e.mode&fs.ModeSymlink != 0 }

// nameBytes is how much memory the name takes.
func (e *entry) nameBytes() int {
	if e.name == e.stored {
		return len(e.name)
	}
	return len(e.name) + len(e.stored)
}

// kind is what the path of the entry is taken for.
func (e *entry) kind() kind {
	if e.isDir() {
		return dirKind
	}
	return otherKind
}

// check cleans all names and finds the entries that cannot stand side by side:
// two of one name (a directory may repeat), or one below another that isn't a
// directory. It checks all entries, selected or not: if one is bad, the others
// cannot be trusted either.
func check(entries []*entry, r rules, o Options) error {
	if len(entries) > o.MaxFiles {
		return tooManyEntries(o)
	}
	known := newKinds(len(entries))
	for _, e := range entries {
		path, err := r.cleanName(e.name, o.AllowGit)
		if err != nil {
			return err
		}
		e.path = path
		if path == "" && !e.isDir() {
			return &UnsafeError{e.name, "the name is that of the directory itself"}
		}
		if before := known.of(path); before != unknownKind && !(before == dirKind && e.isDir()) {
			return &UnsafeError{e.name, "another entry has the same name"}
		}
		known.set(path, e.kind())
	}
	return checkParents(entries, known, o)
}

// checkParents counts the directories that are only implied, too: a short name
// can need two hundred of them.
func checkParents(entries []*entry, known kinds, o Options) error {
	checked := newKinds(0) // directories whose parents were checked
	for _, e := range entries {
		for dir := parent(e.path); dir != ""; dir = parent(dir) {
			if checked.of(dir) != unknownKind {
				break
			}
			switch known.of(dir) {
			case unknownKind:
				known.set(dir, dirKind)
			case dirKind:
			default:
				return &UnsafeError{e.name, "it is below " + dir + ", which isn't a directory"}
			}
			checked.set(dir, dirKind)
			if len(known.paths) > o.MaxFiles {
				return tooManyEntries(o)
			}
		}
	}
	return nil
}

// key is the same for names that the file system takes for one.
func (r rules) key(path string) string {
	if r.fold {
		return foldName(path)
	}
	return path
}

func parent(path string) string {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return ""
	}
	return path[:i]
}

func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
