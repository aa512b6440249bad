package extract

import (
	"bytes"
	"io"
)

// untar applies the rules of zip extraction to members that come one by one.
type untar struct {
	stage   *Stage
	opts    Options
	include []*pattern
	exclude []*pattern
	kinds   map[string]bool   // path in the archive → is a directory
	placed  map[string]string // path in the archive → in the stage, of files
	dests   map[string]bool   // the latter, of all
	places  *places           // nil if every selected name fits
	names   []*entry
	stats   Stats
	count   int
	failed  error // the error of a member, which archiver wraps
	buf     []byte
}

func newUntar(s *Stage, o Options) *untar {
	var taken *places
	if s.rules != (rules{}) {
		taken = newPlaces(s.rules, 0)
	}
	return &untar{places: taken, stage: s, opts: o, kinds: map[string]bool{}, placed: map[string]string{}, dests: map[string]bool{}, buf: make([]byte, copyBuffer)}
}

// fail keeps the first error as it is.
func (x *untar) fail(err error) error {
	if err != nil && x.failed == nil {
		x.failed = err
	}
	return err
}

// admit checks a member's name against those before it, and says whether it is
// selected.
func (x *untar) admit(e *entry) (bool, error) {
	// The directories that names need count, too, as in a zip.
	if x.count++; max(x.count, len(x.kinds)) > x.opts.MaxFiles {
		return false, &LimitError{"entries", int64(x.opts.MaxFiles), "--max-files"}
	}
	if err := x.opts.spent.count(1, x.opts); err != nil {
		return false, err
	}
	r := x.stage.rules
	path, err := r.cleanName(e.name, x.opts.AllowGit)
	if err != nil {
		return false, err
	}
	if e.path = path; path == "" {
		if e.isDir() {
			return false, nil
		}
		return false, &UnsafeError{e.name, "the name is that of the directory itself"}
	}
	wasDir, repeated := x.kinds[path]
	if repeated && !(wasDir && e.isDir()) {
		return false, &UnsafeError{e.name, "another entry has the same name"}
	}
	x.kinds[path] = e.isDir()
	for dir := parent(path); dir != ""; dir = parent(dir) {
		isDir, listed := x.kinds[dir]
		if listed && !isDir {
			return false, &UnsafeError{e.name, "it is below " + dir + ", which is no directory"}
		}
		x.kinds[dir] = true
	}
	wanted, err := x.selects(e)
	if wanted && err == nil {
		err = x.fit(e)
	}
	return wanted, err
}

// fit checks that the system can have a selected member next to those before it.
func (x *untar) fit(e *entry) error {
	if x.places == nil {
		return nil
	}
	return x.places.add(e)
}

func (x *untar) selects(e *entry) (bool, error) {
	if x.include == nil && x.exclude == nil {
		var err error
		if x.include, err = newPatterns(x.opts.Include); err != nil {
			return false, err
		}
		if x.exclude, err = newPatterns(x.opts.Exclude); err != nil {
			return false, err
		}
	}
	x.names = append(x.names, e)
	one := x.opts
	one.Include, one.Exclude = nil, nil
	selected, err := selectEntries([]*entry{e}, one)
	if err != nil || len(selected) == 0 {
		return false, err
	}
	placed := strip(e.path, x.opts.StripComponents, x.opts.Flat)
	wanted := anyMatch(x.include, e.path, placed) || len(x.include) == 0
	return wanted && !anyMatch(x.exclude, e.path, placed), nil
}

// place stages one member.
func (x *untar) place(e *entry, target string, open func() (io.ReadCloser, error)) error {
	wanted, err := x.admit(e)
	if err != nil || !wanted {
		return x.fail(err)
	}
	switch {
	case e.isDir():
		x.stage.wantDir(e.dest, e.mode, e.modTime)
	case e.isLink():
		err = x.stage.wantLink(e, target, x.opts)
	default:
		if err = x.opts.spent.take(e.size, x.opts); err == nil {
			err = x.content(e, open)
		}
	}
	x.stats.add(e)
	return x.fail(err)
}

func (x *untar) content(e *entry, open func() (io.ReadCloser, error)) error {
	r, err := open()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // the tar reader goes on by itself
	if x.dests[e.dest] {
		return &ConflictError{e.dest, "two members would be put here"}
	}
	x.dests[e.dest] = true
	f, err := x.stage.tree.create(e, x.opts.Label)
	if err != nil {
		return err
	}
	check := x.stage.newDigest(e, x.opts)
	v := &verifier{entry: e, later: !e.summed, next: func(p []byte) error { check.add(p); return f.write(p) }}
	err = pump(&sizedReader{r: unpacking{r, e}, entry: e}, x.buf, v.write)
	if err == nil {
		err = firstError(v.finish(), check.finish())
	}
	if err := f.close(err); err != nil {
		return err
	}
	x.placed[e.path] = e.dest
	x.opts.OnFile(e.dest, e.size)
	return nil
}

// bare stages the one file that a compressed file is. Its size shows at its end.
func (x *untar) bare(f *form, content io.Reader) error {
	e := &entry{name: x.opts.BareName, mode: 0o644}
	if e.name == "" {
		return x.fail(&NotArchiveError{What: "a single " + f.name + " file, whose name is not known"})
	}
	wanted, err := x.admit(e)
	if err != nil || !wanted {
		return x.fail(err)
	}
	file, err := x.stage.tree.create(e, x.opts.Label)
	if err != nil {
		return x.fail(err)
	}
	check := x.stage.newDigest(e, x.opts)
	err = pump(unpacking{content, e}, x.buf, func(p []byte) error {
		e.size += int64(len(p))
		if err := x.opts.spent.take(int64(len(p)), x.opts); err != nil {
			return err
		}
		check.add(p)
		return file.write(p)
	})
	if err == nil {
		err = check.finish()
	}
	if err := file.close(err); err != nil {
		return x.fail(err)
	}
	x.stats.add(e)
	x.opts.OnFile(e.dest, e.size)
	return nil
}

// hardLink makes a copy of a member that is staged already. A link to anything
// else is refused.
func (x *untar) hardLink(e *entry, target string) error {
	path, err := x.stage.rules.cleanName(target, x.opts.AllowGit)
	if err != nil {
		return x.fail(&UnsafeError{e.name, "it is a hard link to an unsafe name: " + target})
	}
	wanted, err := x.admit(e)
	if err != nil || !wanted {
		return x.fail(err)
	}
	source, staged := x.placed[path]
	if !staged {
		return x.fail(&UnsafeError{e.name, "it is a hard link to what is not a file of this selection: " + target})
	}
	dir, err := x.stage.tree.dir(parent(e.dest))
	if err != nil {
		return x.fail(err)
	}
	x.stage.tree.release(dir)
	x.stats.Files++
	x.placed[e.path] = e.dest
	if err := x.stage.fresh.Link(source, e.dest); err != nil {
		return x.fail(err)
	}
	info, err := x.stage.fresh.Lstat(e.dest)
	if err != nil {
		return x.fail(err)
	}
	x.opts.OnFile(e.dest, info.Size()) // a file like the other, in the end
	return nil
}

// result names the patterns that nothing matched.
func (x *untar) result() (Stats, error) {
	if unused := unusedPatterns(x.include); len(unused) > 0 {
		return Stats{}, &NoMatchError{unused, near(unused[0], x.names)}
	}
	return x.stats, nil
}

// sizedReader makes a member that ends too early an error.
type sizedReader struct {
	r     io.Reader
	entry *entry
	read  int64
}

// Read implements [io.Reader].
func (s *sizedReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.read += int64(n)
	ended := err == io.EOF || err == io.ErrUnexpectedEOF //nolint:errorlint // of the member; a connection's is wrapped
	if ended && s.read != s.entry.size {
		return n, corrupt(s.entry.name, "it has %d bytes, not %d", s.read, s.entry.size)
	}
	return n, err
}

// lenEndBlocks is the two blocks of zeros that end a tar (POSIX.1-2017, pax,
// "ustar Interchange Format").
const lenEndBlocks = 1024

// tailReader remembers the last bytes that passed.
type tailReader struct {
	r    io.Reader
	tail []byte
}

// Read implements [io.Reader].
func (t *tailReader) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.tail = append(t.tail, p[max(0, n-lenEndBlocks):n]...)
	if len(t.tail) > lenEndBlocks {
		t.tail = append(t.tail[:0], t.tail[len(t.tail)-lenEndBlocks:]...)
	}
	return n, err
}

// zeros reports whether they were the end of a tar.
func (t *tailReader) zeros() bool {
	return len(t.tail) == lenEndBlocks && bytes.Equal(t.tail, make([]byte, lenEndBlocks))
}
