package retrieve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Cat writes one file of an archive to w. After an error, part of the file may have been
// written: its checksum is known only at the end.
func (i Inspector) Cat(ctx context.Context, q resolve.Query, f NamedFile, w io.Writer) error {
	if len(q.Reports) > 0 {
		return i.catReport(ctx, q, f.Name, w)
	}
	if f.From == FromGitLab {
		a, err := i.One(ctx, q)
		if err != nil {
			return err
		}
		return i.catUnpacked(ctx, q, a, unpacked{path.Clean(f.Name), -1}, w)
	}
	file, a, err := i.openAny(ctx, q)
	if errors.Is(err, fetch.ErrNoRanges) {
		known, listErr := i.plainFiles(ctx, a, []string{f.Name})
		if listErr != nil {
			return listErr
		}
		if len(known) == 1 {
			return i.catUnpacked(ctx, q, a, unpacked{known[0].Path, known[0].Size}, w)
		}
		file, a, err = i.openOne(ctx, q, a, false)
	}
	if err != nil {
		return err
	}
	if err = extract.Cat(ctx, file, f.Name, w); err != nil {
		err = fmt.Errorf("archive of %s: %w", a.Label(), err)
	}
	return errors.Join(err, file.Close())
}

// NamedFile is a file of an archive, and where it is unpacked.
type NamedFile struct {
	Name string
	From Source
}

// unpacked is a file that GitLab unpacks.
type unpacked struct {
	name string
	size int64 // the expected size; negative if unknown
}

// catUnpacked writes a file that GitLab unpacks.
func (i Inspector) catUnpacked(ctx context.Context, q resolve.Query, a resolve.Artifact, u unpacked, w io.Writer) error {
	address := i.API.FileURL(gitlab.Project(a.Project), a.JobID, u.name)
	if a.JobID == 0 {
		address = i.API.RefFileURL(gitlab.Project(a.Project), a.Ref, a.JobName, u.name)
	}
	how := i.transfer(os.TempDir())
	how.Size, how.Whole = max(u.size, 0), true // it has no checksum
	file, err := fetch.Open(ctx, address, how)
	if noEntry(err) {
		return i.noFile(ctx, a, u.name)
	}
	if err != nil {
		found, why := i.Resolver.Fallback(ctx, q, a, err)
		switch {
		case why != nil:
			return why
		case a.JobID == 0 && found.JobID != 0: // the fallback has found its ID
			return i.catUnpacked(ctx, q, found, u, w)
		}
		return err // the fallback serves the archive, but not single files
	}
	if u.size >= 0 && u.size != file.Size() {
		return errors.Join(&extract.CorruptError{Entry: u.name, Err: fmt.Errorf("got %d of %d bytes", file.Size(), u.size)}, file.Close())
	}
	body, err := file.Range(ctx, 0, file.Size())
	if err != nil {
		return errors.Join(err, file.Close())
	}
	_, err = io.Copy(w, body)
	return errors.Join(err, body.Close(), file.Close())
}

// noFile returns the error for a name that GitLab doesn't find. GitLab's list of the
// archive, if it has one, shows whether the name is a directory.
func (i Inspector) noFile(ctx context.Context, a resolve.Artifact, name string) error {
	missing := &extract.NoMatchError{Patterns: []string{name}}
	if a.JobID == 0 {
		return missing
	}
	for _, err := range i.API.Tree(ctx, gitlab.Project(a.Project), a.JobID, name, false) {
		missing.IsDir = err == nil
		break
	}
	return missing
}
