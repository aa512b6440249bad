package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gitlab.com/artifetch/artifetch/internal/space"
)

// Less than this is soon used up.
const (
	littleSpace = 100 << 20 // bytes
	fewInodes   = 10_000
)

// workspace checks where files will go: whether they can be created, how many, and
// whether links work.
func (d *doctor) workspace() {
	dir, made := nearest(d.Dir)
	probe, err := os.MkdirTemp(dir, ".artifetch-doctor-*")
	if err != nil {
		d.failedBy("workspace", err, ClosedDir)
		return
	}
	defer func() { _ = os.RemoveAll(probe) }() // it may contain three small files
	text, little := d.room(dir)
	switch {
	case !made:
		text = d.Dir + ", which will be created, " + text
	default:
		text = d.Dir + ", " + text
	}
	if little {
		d.limitedBy("workspace", text, LittleRoom)
	} else {
		d.ok("workspace", text)
	}
	d.links(probe)
}

// nearest returns the directory, or its nearest existing parent.
func nearest(dir string) (existing string, exists bool) {
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			return at, at == filepath.Clean(dir)
		}
	}
}

// room says how much space is left on the disk of dir, and whether that is little.
func (d *doctor) room(dir string) (text string, little bool) {
	free, files := space.Free(dir), space.FreeFiles(dir)
	text = d.Size(free) + " free"
	if files != space.Unknown {
		text += fmt.Sprintf(", room for %d files", files)
	}
	return text, free < littleSpace || files < fewInodes
}

// links checks whether the file system supports hard and symbolic links, which archives
// may contain.
func (d *doctor) links(dir string) {
	file := filepath.Join(dir, "file")
	err := os.WriteFile(file, []byte("a probe of artifetch doctor\n"), 0o600)
	if err == nil {
		err = errors.Join(os.Link(file, file+".hard"), os.Symlink("file", file+".symbolic"))
	}
	if err != nil {
		d.limitedBy("links", err.Error(), NoLinks)
		return
	}
	d.ok("links", "hard and symbolic links can be created")
}

// cache checks the directory for whole archives.
func (d *doctor) cache() {
	if d.CacheDir == "" {
		d.skipped("cache", "off: nothing that was downloaded is kept for the next run")
		return
	}
	dir, _ := nearest(d.CacheDir)
	probe, err := os.MkdirTemp(dir, ".artifetch-doctor-*")
	if err != nil {
		d.failedBy("cache", err, ClosedCache)
		return
	}
	_ = os.Remove(probe) // it is empty
	text, little := d.room(dir)
	text = d.CacheDir + ", " + text
	if little {
		d.limitedBy("cache", text, LittleRoomInCache)
		return
	}
	d.ok("cache", text)
}
