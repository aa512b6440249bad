//go:build linux

package main

import (
	"archive/zip"
	"bufio"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/flate"
)

// smallSize is the size of an archive.
type smallSize struct {
	name  string
	bytes int64
}

// smallSizes are the sizes of most jobs' archives.
var smallSizes = []smallSize{{"80kB", 80_000}, {"1MB", 1_000_000}, {"10MB", 10_000_000}, {"50MB", 50_000_000}}

// A runnerZip writes archives as GitLab Runner does (commands/helpers/archive/fastzip):
// directories first; times and owners in extra fields; a data descriptor after every
// file, even stored ones; files that DEFLATE doesn't make smaller are stored.
type runnerZip struct {
	*zip.Writer
	r           *rand.Rand
	text, noise []byte // the content of files
	written     counter
	files       int
}

// counter counts the bytes that are written.
type counter struct {
	io.Writer
	n int64
}

// Write implements [io.Writer].
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n += int64(n)
	return n, err
}

const (
	directories = 24
	libraries   = 5  // a third of the archive
	rowSize     = 94 // approximate size of a file's entry in the central directory
)

// writeRunnerZips writes an archive of each size into dir.
func writeRunnerZips(dir string, sizes []smallSize) error {
	pool := text(rand.New(rand.NewPCG(21, 7)), 8<<20, 50)
	noise := make([]byte, 8<<20)
	_, _ = rand.NewChaCha8([32]byte{21}).Read(noise) // never fails
	for _, size := range sizes {
		f, err := os.Create(filepath.Join(dir, size.name))
		if err != nil {
			return err
		}
		w := bufio.NewWriter(f)
		z := &runnerZip{r: rand.New(rand.NewPCG(uint64(size.bytes), 7)), text: pool, noise: noise}
		if err := z.write(w, size.bytes); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// write writes an archive of size bytes, give or take a few hundred: many text files,
// mostly of a few kB, libraries, which compress to half, an empty file, and one that
// can't be compressed.
func (z *runnerZip) write(w io.Writer, size int64) error {
	z.written = counter{Writer: w}
	z.Writer = zip.NewWriter(&z.written)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 5) })
	for i := range directories {
		if _, err := z.CreateHeader(header(fmt.Sprintf("dist/p%02d/", i), 0o755|os.ModeDir, zip.Store)); err != nil {
			return err
		}
	}
	if err := z.file("dist/.gitkeep", zip.Store, 0, 0); err != nil {
		return err
	}
	library := int(size) / 10
	for i := range libraries {
		if err := z.file(fmt.Sprintf("dist/lib%d.so", i), zip.Deflate, library, library/3); err != nil {
			return err
		}
	}
	// Fill the rest with noise.
	if err := z.texts(size*19/20, min(float64(size)/16, 128_000)); err != nil {
		return err
	}
	logo, err := z.CreateHeader(header("dist/logo.png", 0o644, zip.Store))
	if err != nil {
		return err
	}
	if err := z.Flush(); err != nil {
		return err
	}
	if err := fill(logo, z.r, z.noise, int(size-z.written.n)-z.files*rowSize); err != nil {
		return err
	}
	return z.Close()
}

// texts writes text files until the archive has size bytes.
func (z *runnerZip) texts(size int64, largest float64) error {
	for i := 0; z.written.n+int64(z.files*rowSize) < size; i++ {
		n := int(1000 * math.Pow(largest/1000, z.r.Float64()))
		if err := z.file(fmt.Sprintf("dist/p%02d/chunk-%05d.js", i%directories, i), zip.Deflate, n, 0); err != nil {
			return err
		}
		if err := z.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// file writes a file of n bytes, some of them noise and the rest text.
func (z *runnerZip) file(name string, method uint16, n, noise int) error {
	z.files++
	w, err := z.CreateHeader(header(name, 0o644, method))
	if err != nil {
		return err
	}
	if err := fill(w, z.r, z.noise, noise); err != nil {
		return err
	}
	return fill(w, z.r, z.text, n-noise)
}

// header returns an entry's header with the owner as the runner stores it (0x7875; the
// library adds the time, 0x5455).
func header(name string, mode os.FileMode, method uint16) *zip.FileHeader {
	h := &zip.FileHeader{Name: name, Method: method, Modified: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	h.Extra = []byte{0x75, 0x78, 11, 0, 1, 4, 0xe8, 3, 0, 0, 4, 0xe8, 3, 0, 0}
	h.SetMode(mode)
	return h
}
