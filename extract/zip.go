package extract

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"

	"golang.org/x/sync/errgroup"
)

// zip extracts the selection of a zip archive into the stage.
func (s *Stage) zip(ctx context.Context, src Source, o Options) (Stats, error) {
	entries, err := readDirectory(src, src.Size(), o)
	if err != nil {
		return Stats{}, err
	}
	if err := check(entries, s.rules, o); err != nil {
		return Stats{}, err
	}
	for _, e := range entries {
		if err := checkZip(e); err != nil {
			return Stats{}, err
		}
	}
	selected, err := selectEntries(entries, o)
	if err != nil {
		return Stats{}, err
	}
	stats, err := tally(selected, o)
	if err != nil {
		return Stats{}, err
	}
	return stats, s.unzip(ctx, src, selected, o)
}

// Flags of an entry: APPNOTE 4.4.4.
const (
	flagEncrypted       = 1 << 0
	flagStrongEncrypted = 1 << 6
	flagMaskedHeaders   = 1 << 13
)

// checkZip refuses what cannot be unpacked, before anything is.
func checkZip(e *entry) error {
	if e.flags&(flagEncrypted|flagStrongEncrypted|flagMaskedHeaders) != 0 {
		return &UnsafeError{e.name, "it is encrypted"}
	}
	if name, known := methodName(e.method); !known {
		return &UnsafeError{e.name, "it is compressed by " + name + ", which is not supported"}
	}
	if e.method == methodStore && e.packed != e.size {
		return corrupt(e.name, "it is stored, but has two sizes")
	}
	if e.mode.Type()&^(fs.ModeDir|fs.ModeSymlink) != 0 {
		return &UnsafeError{e.name, "it is a device, a pipe or a socket"}
	}
	return nil
}

// tally counts what is selected, and holds it against the limit before a byte is
// written. That no entry has more bytes than it says is seen to when it is
// written.
func tally(selected []*entry, o Options) (Stats, error) {
	var stats Stats
	for _, e := range selected {
		if e.size > math.MaxInt64-stats.Bytes || stats.Bytes+e.size > o.MaxBytes {
			return Stats{}, &LimitError{"bytes", o.MaxBytes, "--max-bytes"}
		}
		stats.add(e)
	}
	return stats, nil
}

// unzip decodes the regions side by side. The first error ends all.
func (s *Stage) unzip(ctx context.Context, src Source, selected []*entry, o Options) error {
	for _, e := range selected {
		if e.isDir() {
			s.wantDir(e.dest, e.mode, e.modTime)
		}
	}
	regions := plan(selected, o.Workers)
	next := make(chan region)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(next)
		for _, r := range regions {
			select {
			case next <- r:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	})
	for range min(o.Workers, len(regions)) {
		group.Go(func() error {
			w := newWorker(s, src, o)
			defer w.close()
			for r := range next {
				if err := w.region(ctx, r); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// readAhead is the buffer between the network and the decompressor.
const readAhead = 64 << 10

// worker decodes one region at a time.
type worker struct {
	stage *Stage
	src   Source
	opts  Options
	in    *bufio.Reader
	tree  *tree
	buf   []byte
}

func newWorker(s *Stage, src Source, o Options) *worker {
	return &worker{stage: s, src: src, opts: o, in: bufio.NewReaderSize(nil, readAhead), tree: s.newTree(), buf: make([]byte, copyBuffer)}
}

func (w *worker) close() { w.tree.close() }

// region reads one region and decodes its entries as they come.
func (w *worker) region(ctx context.Context, r region) error {
	body, err := w.src.Range(ctx, r.off, r.end-r.off)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // what was needed of it was read
	arriving := &arrivingReader{r: body, at: r.off}
	w.in.Reset(arriving)
	for _, e := range r.entries {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		at := arriving.at - int64(w.in.Buffered())
		if err := skip(w.in, e.offset-at); err != nil {
			return arriving.blame(ended(e, err))
		}
		if err := w.entry(e); err != nil {
			return arriving.blame(err)
		}
	}
	return nil
}

// arrivingReader knows its place in the archive, and why bytes stopped coming.
type arrivingReader struct {
	r   io.Reader
	at  int64
	err error
}

// Read implements [io.Reader].
func (a *arrivingReader) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	a.at += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		a.err = err
	}
	return n, err
}

// blame tells a transfer that broke off from damage: a decompressor says much
// the same of both.
func (a *arrivingReader) blame(err error) error {
	if a.err != nil {
		return a.err
	}
	return err
}

func skip(r *bufio.Reader, n int64) error {
	for n > 0 {
		step, err := r.Discard(int(min(n, math.MaxInt32)))
		if err != nil {
			return err
		}
		n -= int64(step)
	}
	return nil
}

// ended calls an end that comes too early damage.
func ended(e *entry, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return corrupt(e.name, "it ends too early")
	}
	return err
}

// entry decodes the entry whose local header comes next.
func (w *worker) entry(e *entry) error {
	if err := w.localHeader(e); err != nil {
		return err
	}
	packed := &packedReader{r: w.in, left: e.packed}
	content, err := decompress(e, packed)
	if err != nil {
		return unpackError(e, err)
	}
	verified := &verifier{r: content, entry: e}
	if e.isLink() {
		err = w.link(e, verified)
	} else {
		err = w.tree.file(e, verified, w.buf)
	}
	if closeErr := content.Close(); err == nil && closeErr != nil {
		err = unpackError(e, closeErr)
	}
	if err == nil {
		w.opts.OnFile(e.dest, e.size)
	}
	return err
}

// localHeader reads the header in front of the data. It must agree with the
// central directory in what another program might go by.
func (w *worker) localHeader(e *entry) error {
	var h [lenLocal]byte
	if _, err := io.ReadFull(w.in, h[:]); err != nil {
		return ended(e, err)
	}
	if le.Uint32(h[:]) != sigLocal {
		return corrupt(e.name, "its local header is missing")
	}
	name := make([]byte, le.Uint16(h[26:]))
	if _, err := io.ReadFull(w.in, name); err != nil {
		return ended(e, err)
	}
	if string(name) != e.name || le.Uint16(h[8:]) != e.method {
		return corrupt(e.name, "its local header says something else than the central directory")
	}
	extra := int64(le.Uint16(h[28:]))
	if e.offset+lenLocal+int64(len(name))+extra+e.packed > e.end {
		return corrupt(e.name, "it reaches into the next entry")
	}
	if err := skip(w.in, extra); err != nil {
		return ended(e, err)
	}
	return nil
}

// link keeps the target for later: links are made after all files.
func (w *worker) link(e *entry, content io.Reader) error {
	if e.size >= maxPath {
		return &UnsafeError{e.name, "the link's target is too long"}
	}
	target, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	return w.stage.wantLink(e, string(target))
}

// verifier reads the content of an entry and checks its size and CRC-32. It
// never returns more bytes than the entry says it has.
type verifier struct {
	r     io.Reader
	entry *entry
	read  int64
	crc   uint32
}

// Read implements [io.Reader].
func (v *verifier) Read(p []byte) (int, error) {
	n, err := v.r.Read(p)
	v.read += int64(n)
	v.crc = crc32.Update(v.crc, crc32.IEEETable, p[:n])
	switch {
	case v.read > v.entry.size:
		return 0, corrupt(v.entry.name, "it has more bytes than it says: %d", v.entry.size)
	case err == nil:
		return n, nil
	case !errors.Is(err, io.EOF):
		return 0, unpackError(v.entry, err)
	case v.read < v.entry.size:
		return 0, corrupt(v.entry.name, "it has %d bytes, not %d", v.read, v.entry.size)
	case v.crc != v.entry.crc:
		return 0, corrupt(v.entry.name, "its CRC-32 is %08x, not %08x", v.crc, v.entry.crc)
	}
	return n, io.EOF
}

func unpackError(e *entry, err error) error {
	return &CorruptError{e.name, fmt.Errorf("unpacking: %w", err)}
}
