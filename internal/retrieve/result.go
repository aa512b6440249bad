package retrieve

import (
	"maps"
	"slices"
	"sync"
	"time"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Result is one archive whose files are in the stage or in the workspace.
type Result struct {
	Artifact resolve.Artifact // with the archive's size and SHA-256, if known
	Stats    extract.Stats
	Transfer fetch.Stats
	Took     time.Duration
	// Files are the files and links in the workspace, sorted by path. They are set only
	// after [Retriever.Run], and if [Options] asks for them.
	Files []File

	contents *contents // nil if Files aren't wanted
}

// File is a file or link in the workspace.
type File struct {
	Path   string // below the output directory
	Size   int64  // in bytes; 0 for links
	Target string // of a link
}

// contents collects the files and links of one archive.
type contents struct {
	mu    sync.Mutex
	files map[string]File // by path
}

func (c *contents) file(path string, size int64) { c.put(File{Path: path, Size: size}) }

func (c *contents) link(path, target string) { c.put(File{Path: path, Target: target}) }

func (c *contents) put(f File) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files[f.Path] = f
}

// leftOut collects the paths that aren't written, such as existing files that are kept.
type leftOut struct {
	mu    sync.Mutex
	paths map[string]bool
}

// noting returns an [extract.StageOptions].OnSkip that also calls say, unless it is nil.
func (l *leftOut) noting(say func(path, reason string)) func(path, reason string) {
	return func(path, reason string) {
		if say != nil {
			say(path, reason)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.paths[path] = true
	}
}

// finish lists and counts what is in the workspace: without unpacked archives and without
// files that the commit left out. seen are the files of earlier results.
func (r *Result) finish(leftOut, seen map[string]bool) {
	if r.contents == nil {
		return
	}
	r.Files = []File{}
	r.Stats = extract.Stats{Dirs: r.Stats.Dirs}
	for _, path := range slices.Sorted(maps.Keys(r.contents.files)) {
		if leftOut[path] {
			continue
		}
		f := r.contents.files[path]
		r.Files = append(r.Files, f)
		if f.Target != "" {
			r.Stats.Links++
			continue
		}
		r.Stats.Files++
		r.Stats.Bytes += f.Size
		if seen[path] {
			r.Stats.Again++
			r.Stats.AgainBytes += f.Size
		}
		seen[path] = true
	}
	r.contents = nil
}

// Cost counts what an archive has cost so far, over all attempts.
type Cost struct {
	since time.Time
	meter fetch.Meter
}

// NewCost starts counting.
func NewCost() *Cost { return &Cost{since: time.Now()} }
