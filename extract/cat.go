package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
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
			if meant := byPath[missing.Meant]; meant == nil || meant.IsDir() { // name isn't a glob
				missing.Meant = ""
			}
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

// CatReport is [Cat] for a report. Without a name, the report must have a single file. A
// gzip report is decompressed twice: the first time, to check it.
func CatReport(ctx context.Context, src Source, r Report, name string, w io.Writer) error {
	if r.Format == ZipReport {
		return catZipReport(ctx, src, name, w)
	}
	entries, err := reportEntries(ctx, src, r)
	if err == nil {
		err = check(entries, names.Platform(), Options{AllowGit: true}.withDefaults())
	}
	if err != nil {
		return err
	}
	wanted := path.Clean(name)
	at := slices.IndexFunc(entries, func(e *entry) bool { return e.path == wanted || e.Name == name })
	switch {
	case name != "" && at < 0:
		return near(wanted, entries).noMatch(name)
	case name == "" && len(entries) != 1:
		return severalFiles(listEntries(entries))
	case r.Format == GzipReport:
		return catMember(ctx, src, r, max(at, 0), w)
	}
	_, err = io.Copy(w, io.NewSectionReader(src, 0, src.Size()))
	return err
}

func catZipReport(ctx context.Context, src Source, name string, w io.Writer) error {
	if name == "" {
		listed, err := List(ctx, src, Selection{})
		if err != nil {
			return err
		}
		if len(listed) != 1 {
			return severalFiles(listed)
		}
		name = listed[0].Name
	}
	return Cat(ctx, src, name, w)
}

// catMember writes the file of a gzip report that has the given index.
func catMember(ctx context.Context, src Source, r Report, index int, w io.Writer) error {
	err := readReport(ctx, src, r, func(_ *archive.Header, content io.Reader) error {
		if index--; index >= 0 {
			return nil
		}
		if _, err := io.Copy(w, content); err != nil {
			return err
		}
		return errEnough
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}
