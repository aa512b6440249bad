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

// Result is one archive whose files are in the stage, or in the workspace.
type Result struct {
	Artifact resolve.Artifact // with the size and SHA-256 of the archive, if they are known
	Stats    extract.Stats
	Transfer fetch.Stats
	Took     time.Duration
	// Files are the files and links that are in the workspace now, sorted by path. They
	// are known after [Retriever.Run] alone, and if [Options] asks for them.
	Files []File

	contents *contents // nil if Files aren't asked for
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

// leftOut collects the paths that aren't written, such as those of existing files that
// are kept.
type leftOut struct {
	mu    sync.Mutex
	paths map[string]bool
}

// noting returns an [extract.StageOptions].OnSkip that also calls say, if it isn't nil.
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

// finish lists and counts what is in the workspace: without archives that were unpacked,
// and without files that were left out when the stage was committed.
func (r *Result) finish(leftOut map[string]bool) {
	if r.contents == nil {
		return
	}
	r.Files = []File{}
	r.Stats.Files, r.Stats.Bytes, r.Stats.Links = 0, 0, 0
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
	}
	r.contents = nil
}

// Cost counts what an archive cost so far, over all attempts.
type Cost struct {
	since time.Time
	meter fetch.Meter
}

// NewCost starts counting.
func NewCost() *Cost { return &Cost{since: time.Now()} }
