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

// check cleans all names and finds the entries that cannot stand side by side:
// two of one name (a directory may repeat), or one below another that is no
// directory. It does so for all entries, selected or not: an archive with one
// bad entry is not to be trusted with the others.
func check(entries []*entry, r rules, o Options) error {
	if len(entries) > o.MaxFiles {
		return &LimitError{"entries", int64(o.MaxFiles), "--max-files"}
	}
	kinds := make(map[string]bool, len(entries)) // path → is a directory
	for _, e := range entries {
		path, err := r.cleanName(e.name, o.AllowGit)
		if err != nil {
			return err
		}
		e.path = path
		if path == "" && !e.isDir() {
			return &UnsafeError{e.name, "the name is that of the directory itself"}
		}
		wasDir, repeated := kinds[path]
		if repeated && !(wasDir && e.isDir()) {
			return &UnsafeError{e.name, "another entry has the same name"}
		}
		kinds[path] = e.isDir()
	}
	return checkParents(entries, kinds, o.MaxFiles)
}

// checkParents counts the directories that are only implied, too: a short name
// can need two hundred of them.
func checkParents(entries []*entry, kinds map[string]bool, limit int) error {
	implied := 0
	known := map[string]bool{} // directories whose parents were checked
	for _, e := range entries {
		for dir := parent(e.path); dir != "" && !known[dir]; dir = parent(dir) {
			isDir, listed := kinds[dir]
			if listed && !isDir {
				return &UnsafeError{e.name, "it is below " + dir + ", which is no directory"}
			}
			if !listed {
				implied++
			}
			if implied+len(kinds) > limit {
				return &LimitError{"entries", int64(limit), "--max-files"}
			}
			known[dir] = true
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
