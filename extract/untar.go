package extract

import (
	"cmp"
	"io"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/codec"
	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// untar applies the rules for zips to members that arrive one by one. It remembers no
// names of earlier members, only hashes of their paths.
type untar struct {
	stage   *Stage
	opts    Options
	include []*pattern
	exclude []*pattern
	near    []*nearby     // of each pattern to include
	kinds   kinds         // of paths in the archive
	dests   *destinations // nil if every selected member fits
	stats   Stats
	count   int
	failed  error // the error of a member, which archiver wraps
	buf     []byte
}

func newUntar(s *Stage, o Options) (*untar, error) {
	x := &untar{stage: s, opts: o, kinds: newKinds(0), buf: make([]byte, archive.CopyBuffer)}
	if o.renames() || s.rules != (names.Rules{}) {
		x.dests = newDestinations(s.rules, 0)
	}
	var err error
	if x.include, err = newPatterns(o.Include); err != nil {
		return nil, err
	}
	for _, p := range x.include {
		x.near = append(x.near, newNearby(p.text))
	}
	x.exclude, err = newPatterns(o.Exclude)
	return x, err
}

// fail keeps the first error as it is.
func (x *untar) fail(err error) error {
	if err != nil && x.failed == nil {
		x.failed = err
	}
	return err
}

// admit checks a member's name against earlier ones, and reports whether it is selected.
func (x *untar) admit(e *entry) (bool, error) {
	// As in a zip, directories that no member lists count, too.
	x.count++
	err := cmp.Or(x.opts.budget.Entries(int64(max(x.count, len(x.kinds.paths)))), x.opts.budget.count(1), x.opts.budget.Name(len(e.Name)))
	if err != nil {
		return false, err
	}
	r := x.stage.rules
	if e.path, err = r.Clean(e.Name, x.opts.AllowGit); err != nil {
		return false, err
	}
	if e.path == "" {
		if e.IsDir() {
			return false, nil
		}
		return false, &UnsafeError{Entry: e.Name, Reason: "the name is that of the directory itself"}
	}
	if err := x.admitPath(e); err != nil {
		return false, err
	}
	for i, p := range x.include {
		if !p.used {
			x.near[i].add(e)
		}
	}
	wanted := x.opts.selects(e, x.include, x.exclude)
	if wanted && x.dests != nil {
		err = x.dests.add(e)
	}
	return wanted, err
}

// admitPath checks that only directories share a path, and that parents are directories.
func (x *untar) admitPath(e *entry) error {
	if before := x.kinds.of(e.path); before != unknownKind && !(before == dirKind && e.IsDir()) {
		return &UnsafeError{Entry: e.Name, Reason: "another entry has the same name"}
	}
	x.kinds.set(e.path, e.kind())
	return x.admitParents(e)
}

// admitParents notes the directories that a member needs. All parents of a known
// directory are known.
func (x *untar) admitParents(e *entry) error {
	for dir := names.Parent(e.path); dir != ""; dir = names.Parent(dir) {
		switch x.kinds.of(dir) {
		case unknownKind:
			x.kinds.set(dir, dirKind)
		case dirKind:
			return nil
		default:
			return &UnsafeError{Entry: e.Name, Reason: "it is below " + dir + ", which isn't a directory"}
		}
	}
	return nil
}

// add stages one member, if it is selected.
func (x *untar) add(e *entry, target string, content io.Reader) error {
	wanted, err := x.admit(e)
	if err != nil || !wanted {
		return x.fail(err)
	}
	switch {
	case e.IsDir():
		x.stage.wantDir(e.dest, e.Mode, e.ModTime)
	case e.IsLink():
		err = cmp.Or(x.opts.budget.Name(len(target)), x.stage.wantLink(e, target, x.opts))
	default:
		if err = x.opts.budget.take(e.Size); err == nil {
			err = x.stage.put(e, content, x.buf, &x.opts)
		}
		x.kinds.set(e.path, fileKind)
	}
	x.stats.add(e)
	return x.fail(err)
}

// put writes the content of an entry to its file in the stage. It checks the size,
// and the checksums that are known.
func (s *Stage) put(e *entry, content io.Reader, buf []byte, o *Options) error {
	f, err := s.create(e, o)
	if err != nil {
		return err
	}
	v := &archive.Verifier{Header: e.Header, Next: f, NoSum: !e.Summed}
	err = archive.Copy(v, &archive.Sized{R: codec.Reader{Reader: content, Entry: e.Name}, Header: e.Header}, buf)
	if err == nil {
		err = v.Finish()
	}
	return f.Close(err)
}

// bare stages the content of a single compressed file.
func (x *untar) bare(f *format, content io.Reader) error {
	if x.opts.BareName == "" {
		return x.fail(&NotArchiveError{What: "a single " + f.name + " file, whose name is not known"})
	}
	e := &entry{Header: &archive.Header{Name: x.opts.BareName, Mode: archive.DefaultMode}}
	return x.addUnsized(e, codec.Reader{Reader: content, Entry: e.Name, Format: f.name})
}

// addUnsized stages one file whose size is known only at its end, if it is selected.
func (x *untar) addUnsized(e *entry, content io.Reader) error {
	wanted, err := x.admit(e)
	if err != nil || !wanted {
		return x.fail(err)
	}
	file, err := x.stage.create(e, &x.opts)
	if err != nil {
		return x.fail(err)
	}
	err = archive.Copy(&growing{file, x.opts.budget}, content, x.buf)
	if err := file.Close(err); err != nil {
		return x.fail(err)
	}
	x.stats.add(e)
	return nil
}

// growing writes a file whose size is known only at its end.
type growing struct {
	*stagedFile
	budget *budget
}

// Write implements [io.Writer].
func (g *growing) Write(p []byte) (int, error) {
	g.entry.Size += int64(len(p))
	if err := g.budget.take(int64(len(p))); err != nil {
		return 0, err
	}
	return g.stagedFile.Write(p)
}

// hardLink makes a hard link to a member that is staged already. It refuses links to
// anything else.
func (x *untar) hardLink(e *entry, target string) error {
	path, err := x.stage.rules.Clean(target, x.opts.AllowGit)
	if err != nil {
		return x.fail(&UnsafeError{Entry: e.Name, Reason: "it is a hard link to an unsafe name: " + target})
	}
	wanted, err := x.admit(e)
	if err != nil || !wanted {
		return x.fail(err)
	}
	if x.kinds.of(path) != fileKind {
		return x.fail(&UnsafeError{Entry: e.Name, Reason: "it is a hard link to something other than a selected file: " + target})
	}
	if err := x.opts.budget.take(e.Size); err != nil {
		return x.fail(err)
	}
	x.stats.Files++
	x.kinds.set(e.path, fileKind)
	source := names.Join(x.opts.Prefix, names.Strip(path, x.opts.StripComponents, x.opts.Flat))
	size, err := x.stage.dir.Link(source, e.dest)
	if err != nil {
		return x.fail(err)
	}
	x.opts.OnFile(e.dest, size) // in the end it is a file like any other
	return nil
}

// result returns an error if a pattern matched nothing.
func (x *untar) result() (Stats, error) {
	for i, p := range x.include {
		if !p.used {
			err := x.opts.unmatched(x.near[i].noMatch(unusedPatterns(x.include)...))
			if err != nil {
				return Stats{}, err
			}
			break
		}
	}
	return x.stats, nil
}
