package extract

import (
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
	"gitlab.com/artifetch/artifetch/extract/internal/unzip"
)

// maxHops is how many links are followed, as by Linux.
const maxHops = 40

// Cat writes the content of one file of a zip archive to w. It follows links within
// the archive. It refuses the same archives as [Stage.Add], except those with names below
// .git. It checks size and CRC-32 after it has written everything: if it
// returns an error, what it wrote may be wrong.
func Cat(ctx context.Context, src Source, name string, w io.Writer) error {
	if err := mustBeZip(ctx, src); err != nil {
		return err
	}
	o := Options{AllowGit: true}.withDefaults()
	entries, err := zipEntries(src, o.budget)
	if err != nil {
		return err
	}
	if err := check(entries, names.Platform(), o); err != nil {
		return err
	}
	byPath := make(map[string]*entry, len(entries))
	for _, e := range entries {
		byPath[e.path] = e
	}
	at := path.Clean(name)
	for range maxHops {
		e := byPath[at]
		if e == nil || e.IsDir() {
			missing := near(at, entries).noMatch(name)
			missing.IsDir = isDir(at, entries)
			return missing
		}
		if !e.IsLink() {
			return unzip.Copy(ctx, src, e.zip, w)
		}
		var target strings.Builder
		if err := unzip.Copy(ctx, src, e.zip, &target); err != nil {
			return err
		}
		at = path.Join(path.Dir(at), target.String())
	}
	return &UnsafeError{Entry: name, Reason: fmt.Sprintf("more than %d links lead to each other", maxHops)}
}

// isDir reports whether a path is a directory, which may have no entry of its own.
func isDir(path string, entries []*entry) bool {
	return slices.ContainsFunc(entries, func(e *entry) bool {
		return e.path == path && e.IsDir() || strings.HasPrefix(e.path, path+"/")
	})
}
