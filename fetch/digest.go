package fetch

import (
	"context"
	"fmt"
	"io"
	"os"

	"gitlab.com/artifetch/artifetch/internal/digest"
	"gitlab.com/artifetch/artifetch/internal/space"
)

// DigestError reports an archive whose digest differs from the one that the server sent
// or the caller requires.
type DigestError struct {
	Got, Want string // SHA-256, in hexadecimal
	Asked     bool   // the caller required it
}

// Error implements error.
func (e *DigestError) Error() string {
	expected := "the server says"
	if e.Asked {
		expected = "you expect"
	}
	return fmt.Sprintf("the archive's SHA-256 is %s, but %s %s", e.Got, expected, e.Want)
}

// Hint says what to do next.
func (e *DigestError) Hint() string {
	if e.Asked {
		return "nothing was extracted; check the digest, and whether the job was retried since you took it"
	}
	return "nothing was extracted; the archive was changed on the way, or in the server's storage"
}

// verify checks the file's SHA-256 against o.SHA256 and the server's digest. It downloads
// the whole file if o.SHA256 is set, or if o.Digest is set and the server sent no digest.
// Otherwise it checks the file only if it is complete and not from the cache.
func (f *File) verify(o Options) error {
	if !f.mustVerify(o) {
		return nil
	}
	if !f.whole() {
		if err := f.bring(o.SpoolDir); err != nil {
			return err
		}
	}
	var whole io.Reader = io.NewSectionReader(f, 0, f.size)
	if f.spool == nil { // it is still arriving
		whole = &tallied{whole, &tally{total: f.size, tell: f.remote.onSpool}}
	}
	got, err := digest.Sum(f.ctx, whole)
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

// mustVerify reports whether [File.verify] has something to check.
func (f *File) mustVerify(o Options) bool {
	switch {
	case o.SHA256 != "":
		return true
	case f.kept:
		return false
	case f.sha256 == "":
		return o.Digest
	}
	return f.spool != nil || f.size <= probeSize // larger files rely on each entry's checksum
}

// whole reports whether the whole file is on disk, in memory, or arriving.
func (f *File) whole() bool { return f.spool != nil || f.arriving(0, f.size) }

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
	f.spool = spool // Close removes it
	return err
}

// spool creates the file for an archive whose server doesn't support ranges.
func (o Options) spool() (*os.File, error) {
	if o.Into != nil {
		return o.Into, empty(o.Into)
	}
	return newSpool(o.SpoolDir)
}

// newSpool creates a file that disappears when it is closed.
func newSpool(dir string) (*os.File, error) {
	spool, err := os.CreateTemp(spoolDir(dir), ".artifetch-spool-*")
	if err == nil {
		_ = os.Remove(spool.Name()) // its name isn't needed; Windows removes it when it is closed
	}
	return spool, err
}

// spoolDir returns the directory for spool files: by default, the system's directory for
// temporary files.
func spoolDir(dir string) string {
	if dir == "" {
		return os.TempDir()
	}
	return dir
}

// wholeFile is more than the size of any file.
const wholeFile = 1 << 62

func digestOf(ctx context.Context, file io.ReaderAt, size int64) (string, error) {
	return digest.Sum(ctx, io.NewSectionReader(file, 0, size))
}
