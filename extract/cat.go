package extract

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"
)

// maxHops is how many links are followed, as by Linux.
const maxHops = 40

// Cat writes the content of one file of a zip archive to w, and follows links
// inside of the archive. Size and CRC-32 are checked when all was written: an
// error then means that what was written is not what it should be.
func Cat(ctx context.Context, src Source, name string, w io.Writer) error {
	form, err := recognise(ctx, src)
	switch {
	case err != nil:
		return err
	case form != nil:
		return ErrNotListed
	}
	o := Options{}.withDefaults()
	entries, err := readDirectory(src, src.Size(), o)
	if err != nil {
		return err
	}
	byPath := make(map[string]*entry, len(entries))
	for _, e := range entries {
		if e.path, err = platformRules().cleanName(e.name, true); err != nil {
			return err
		}
		byPath[e.path] = e
	}
	c := newCrew(ctx, nil, &Stage{large: make(chan struct{}, 1)}, src, o)
	defer c.decoders.closeIdle()
	reader := newWorker(c)
	defer reader.close()
	at := path.Clean(name)
	for range maxHops {
		e := byPath[at]
		if e == nil || e.isDir() {
			return &NoMatchError{[]string{name}, near(at, entries)}
		}
		if !e.isLink() {
			return reader.cat(ctx, e, w)
		}
		var target strings.Builder
		if err := reader.cat(ctx, e, &target); err != nil {
			return err
		}
		at = path.Join(path.Dir(at), target.String())
	}
	return &UnsafeError{name, fmt.Sprintf("more than %d links lead to each other", maxHops)}
}

// cat writes the content of one entry.
func (w *worker) cat(ctx context.Context, e *entry, out io.Writer) error {
	if err := checkZip(e); err != nil {
		return err
	}
	body, err := w.open(ctx, region{e.offset, e.end, []*entry{e}})
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // what was needed of it was read
	arriving := &arrivingReader{r: body, at: e.offset, moved: &w.moved, waited: &w.waited, tell: func(int) {}}
	w.in.Reset(arriving)
	if err := w.localHeader(e); err != nil {
		return arriving.blame(err)
	}
	v := &verifier{entry: e, next: func(p []byte) error {
		_, err := out.Write(p)
		return err
	}}
	return arriving.blame(w.content(e, v))
}
