package staging

import (
	"io/fs"
	"os"
	"strconv"
)

// Aside is a staged file that was moved out of the way.
type Aside struct {
	File *os.File // open for reading; the caller must close it
	Info fs.FileInfo

	out          root
	staged, away string
}

// SetAside moves a staged file out of the way. number must be another one for each
// call.
func (s *Dir) SetAside(path string, number int) (*Aside, error) {
	a := &Aside{out: s.out, staged: s.name + "/new/" + path, away: s.name + "/twice/archive-" + strconv.Itoa(number)}
	if err := s.out.Rename(a.staged, a.away); err != nil {
		return nil, err
	}
	var err error
	a.File, a.Info, err = s.out.openStaged(a.away)
	return a, err
}

// PutBack moves the file back.
func (a *Aside) PutBack() error { return a.out.Rename(a.away, a.staged) }
