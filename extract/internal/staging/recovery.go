package staging

import (
	"strings"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// recovery restores files that a killed run had moved to originals/ in its stage.
//
// If the new file is still in new/, the run was killed before it replaced the old
// one, and the old one is restored. If another file has appeared there since, both
// are kept. If the new file isn't in new/ any more, it has replaced the old one,
// which is removed with the stage.
//
// Files that a commit removes are in pruned/. They are restored unless the commit has put
// its last file into place, which is its end.
//
// A directory that looks like a stage may be planted, for example in a Git
// repository. So recovery follows no links in it, and restores a file only to a path
// that an archive could write to.
type recovery struct {
	out   root
	stage string // its name
	dir   string // in it: originalsDir or prunedDir
	haven haven
	tell  func(Rescued)
}

// recoverStage restores what it can. It returns an error if the stage must be kept.
func recoverStage(out root, stage string, tell func(Rescued)) error {
	r := recovery{out: out, stage: stage, dir: originalsDir, haven: haven{out: out}, tell: tell}
	if err := r.each(""); err != nil {
		return err
	}
	if unfinished, err := r.exists(stage + "/" + lastName); err != nil || !unfinished {
		return err
	}
	r.dir = prunedDir
	return r.each("")
}

func (r *recovery) kept(path string) string {
	return strings.TrimSuffix(r.stage+"/"+r.dir+"/"+path, "/")
}

// each restores the files and links below a directory of the stage.
func (r *recovery) each(below string) error {
	at := r.kept(below)
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
		if err := r.each(names.Join(below, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// original restores one file, or keeps it, or leaves it to be removed.
func (r *recovery) original(path string) error {
	there, err := r.exists(path)
	if err != nil {
		return err
	}
	successor, err := r.exists(r.stage + "/new/" + path)
	successor = successor || r.dir == prunedDir
	if err != nil {
		return err
	}
	if there && !successor {
		return nil
	}
	fits, _ := r.out.fits(path) // an error means that the file can't go there
	if !there && successor && fits && r.out.renameNew(r.kept(path), path) == nil {
		r.tell(Rescued{path, path})
		return nil
	}
	at, err := r.haven.take(r.kept(path), path)
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
