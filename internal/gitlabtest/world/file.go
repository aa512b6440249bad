package world

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"io"
	"io/fs"
	"strings"
	"sync"
	"time"
)

// File is an entry of an archive. If its name ends in a slash, it is a directory; if it
// has a Link, it is a symbolic link.
type File struct {
	Name    string
	Content string
	Link    string
	Mode    fs.FileMode // zero means 0644, or 0755 for directories
	Store   bool        // without compression
	Time    time.Time   // zero means FixtureTime
}

// FixtureTime is the time of files without their own.
var FixtureTime = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)

// Zip creates an archive. The same files give the same bytes.
func Zip(files ...File) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(zip.Deflate, newCompressor)
	for _, f := range files {
		if err := f.write(w); err != nil {
			return nil // a buffer accepts everything
		}
	}
	if err := w.Close(); err != nil {
		return nil // likewise
	}
	return b.Bytes()
}

// compressors are reused. Each takes a megabyte, which costs tests with the race detector
// more than all that they compress; a [sync.Pool] forgets some there.
var compressors struct {
	sync.Mutex
	idle []*flate.Writer
}

// compressor is one that will be reused.
type compressor struct{ *flate.Writer }

func newCompressor(to io.Writer) (io.WriteCloser, error) {
	compressors.Lock()
	defer compressors.Unlock()
	last := len(compressors.idle) - 1
	if last < 0 {
		w, err := flate.NewWriter(to, 5) // as archive/zip has it
		return compressor{w}, err
	}
	w := compressors.idle[last]
	compressors.idle = compressors.idle[:last]
	w.Reset(to)
	return compressor{w}, nil
}

// Close implements [io.Closer].
func (c compressor) Close() error {
	err := c.Writer.Close()
	compressors.Lock()
	defer compressors.Unlock()
	compressors.idle = append(compressors.idle, c.Writer)
	return err
}

func (f File) write(w *zip.Writer) error {
	h := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: f.Time}
	if f.Time.IsZero() {
		h.Modified = FixtureTime
	}
	mode, content := f.Mode, f.Content
	switch {
	case f.Link != "":
		mode, content, h.Method = fs.ModeSymlink|0o777, f.Link, zip.Store
	case strings.HasSuffix(f.Name, "/"):
		h.Method = zip.Store
		if mode == 0 {
			mode = 0o755
		}
		mode |= fs.ModeDir
	case mode == 0:
		mode = 0o644
	}
	if f.Store {
		h.Method = zip.Store
	}
	h.SetMode(mode)
	entry, err := w.CreateHeader(h)
	if err != nil {
		return err
	}
	_, err = io.WriteString(entry, content)
	return err
}
