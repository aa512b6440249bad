package staging

import (
	"bytes"
	"io"
	"strings"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// CompareDuplicates compares the duplicates so far, each once. Two archives may have
// the same file; if the content differs, it returns a [ConflictError].
func (s *Dir) CompareDuplicates() error {
	for _, d := range s.tree.twice[s.compared:] {
		if err := s.compare(d); err != nil {
			return err
		}
		s.compared++
	}
	return nil
}

func (s *Dir) compare(d duplicate) error {
	same, err := sameContent(s.fresh, d.path, s.extra, d.name)
	if err == nil && !same {
		err = &ConflictError{Path: d.path, Reason: strings.TrimSpace("it would be written twice, with different content: " + d.by), Twice: true, By: d.by}
	}
	return err
}

// sameContent compares two files. Anything else is never the same.
func sameContent(a root, aName string, b root, bName string) (bool, error) {
	aInfo, err := a.Lstat(aName)
	if err != nil {
		return false, err
	}
	bInfo, err := b.Lstat(bName)
	if err != nil || !aInfo.Mode().IsRegular() || aInfo.Size() != bInfo.Size() {
		return false, err
	}
	x, _, err := a.openStaged(aName)
	if err != nil {
		return false, err
	}
	defer func() { _ = x.Close() }() // only read
	y, _, err := b.openStaged(bName)
	if err != nil {
		return false, err
	}
	defer func() { _ = y.Close() }() // only read
	return sameBytes(x, y)
}

func sameBytes(x, y io.Reader) (bool, error) {
	p, q := make([]byte, archive.CopyBuffer), make([]byte, archive.CopyBuffer)
	for {
		n, err := io.ReadFull(x, p)
		m, _ := io.ReadFull(y, q) // they have the same size
		switch {
		case !bytes.Equal(p[:n], q[:m]):
			return false, nil
		case err == nil:
		case archive.MetEnd(err):
			return true, nil
		default:
			return false, err
		}
	}
}
