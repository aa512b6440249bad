package extract

import (
	"strings"
)

// recovery puts back what a run had moved away when it was killed, out of its stage.
//
// A file below originals/ whose successor is still in new/ was moved away, and
// nothing was put into its place: it goes back. If something else has come there,
// both are kept, the file in a directory whose name says so. One whose successor is
// gone was replaced, and goes with the stage.
//
// What looks like a stage may be somebody's work, out of a Git repository, say. No
// link in it is followed, and nothing is put where no archive could put it.
type recovery struct {
	out   root
	stage string // its name
	haven haven
	tell  func(Rescued)
	rules rules
}

// recoverStage returns an error if the stage must not be removed yet.
func recoverStage(out root, stage string, tell func(Rescued)) error {
	r := recovery{out: out, stage: stage, haven: haven{out: out}, tell: tell, rules: platformRules()}
	return r.each("")
}

func (r *recovery) originals(path string) string {
	return strings.TrimSuffix(r.stage+"/"+originalsDir+"/"+path, "/")
}

// each decides about the files and links below a directory of originals/.
func (r *recovery) each(below string) error {
	at := r.originals(below)
	info, err := r.out.Lstat(at)
	switch {
	case isMissing(err), err == nil && below == "" && !info.IsDir():
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		return r.original(below)
	}
	entries, err := r.out.readDir(at)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := r.each(join(below, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// original decides about one file that was moved away.
func (r *recovery) original(path string) error {
	there, err := r.exists(path)
	if err != nil {
		return err
	}
	successor, err := r.exists(r.stage + "/new/" + path)
	if err != nil {
		return err
	}
	if there && !successor {
		return nil
	}
	if !there && successor && r.fits(path) && r.out.renameNew(r.originals(path), path) == nil {
		r.tell(Rescued{path, path})
		return nil
	}
	at, err := r.haven.take(r.originals(path), path)
	if err == nil {
		r.tell(Rescued{path, at})
	}
	return err
}

func (r *recovery) exists(path string) (bool, error) {
	_, err := r.out.Lstat(path)
	if isMissing(err) {
		return false, nil
	}
	return err == nil, err
}

// fits reports whether an archive could put a file there.
func (r *recovery) fits(path string) bool {
	if clean, err := r.rules.cleanName(path, false); err != nil || clean != path {
		return false
	}
	for dir := parent(path); dir != ""; dir = parent(dir) {
		if info, err := r.out.Lstat(dir); err != nil || !info.IsDir() {
			return false
		}
	}
	return true
}
