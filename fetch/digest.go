package fetch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"gitlab.com/artifetch/artifetch/internal/space"
)

// DigestError reports an archive that is not what somebody says it is.
type DigestError struct {
	Got, Want string // SHA-256, in hexadecimal
	Asked     bool   // it is the caller who wants it, and not the server who says so
}

// Error implements error.
func (e *DigestError) Error() string {
	who := "as the server says"
	if e.Asked {
		who = "as was asked for"
	}
	return fmt.Sprintf("the archive's SHA-256 is %s, not %s %s", e.Got, e.Want, who)
}

// Hint says what to do next.
func (e *DigestError) Hint() string {
	if e.Asked {
		return "nothing was extracted; it is another archive than the one that the digest was taken of"
	}
	return "nothing was extracted; it was changed on its way, or in the server's storage"
}

// verify holds the file against the server's digest of it, if all of it is here,
// and against the one that is asked for, for which all of it is brought here; so it
// is if the digest alone is wanted, and the server does not tell it.
func (f *File) verify(o Options) error {
	wanted := o.SHA256 != "" || o.Digest && f.sha256 == ""
	if f.sha256 == "" && !wanted || f.kept && o.SHA256 == "" {
		return nil
	}
	if !f.whole() {
		if !wanted {
			return nil // each entry's own checksum has to do
		}
		if err := f.bring(o.SpoolDir); err != nil {
			return err
		}
	}
	got, err := digestOf(f, f.size)
	switch {
	case err != nil:
		return err
	case o.SHA256 != "" && got != o.SHA256:
		return &DigestError{got, o.SHA256, true}
	case f.sha256 != "" && got != f.sha256:
		return &DigestError{got, f.sha256, false}
	}
	f.sha256 = got
	return nil
}

// whole reports whether all of the file is here.
func (f *File) whole() bool {
	if f.tail != nil { // the end is on its way, and the rest is not here
		return false
	}
	return f.spool != nil || len(f.known) == 1 && f.known[0].off == 0 && f.known[0].end() == f.size
}

// bring downloads the whole file to disk.
func (f *File) bring(dir string) error {
	if err := space.Check(spoolDir(dir), f.size); err != nil {
		return err
	}
	spool, err := newSpool(dir)
	if err != nil {
		return err
	}
	err = f.download(spool)
	f.spool = spool // which Close removes
	return err
}

// newSpool makes a file that is gone when it is closed.
func newSpool(dir string) (*os.File, error) {
	spool, err := os.CreateTemp(spoolDir(dir), ".artifetch-spool-*")
	if err == nil {
		_ = os.Remove(spool.Name()) // its name isn't needed; Windows removes it when it is closed
	}
	return spool, err
}

// spoolDir is where files are put on disk: by default, the system's directory for
// temporary files.
func spoolDir(dir string) string {
	if dir == "" {
		return os.TempDir()
	}
	return dir
}

// wholeFile is more than the size of any file.
const wholeFile = 1 << 62

func digestOf(file io.ReaderAt, size int64) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(file, 0, size)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
