//go:build linux

package main

import (
	"archive/zip"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/klauspost/compress/flate"
)

// archive describes a generated archive at full scale.
type archive struct {
	job    int
	what   string
	files  int
	least  int // bytes of a file
	most   int
	fresh  int // percent of the text that doesn't repeat earlier text
	stored int // percent of the files that can't be compressed
	links  int
	wanted []string // nil means all
}

var archives = map[string]archive{
	"A": {job: 1, what: "20,000 files of 1–16 kB", files: 20_000, least: 1_000, most: 16_000, fresh: 50},
	"B": {job: 2, what: "1,950 build outputs, 50 links", files: 1_950, least: 20_000, most: 950_000, fresh: 80, stored: 40, links: 50},
	"C": {job: 3, what: "one file of 1 GB", files: 1, least: 1_070_000_000, most: 1_070_000_001, fresh: 90},
	"D": {job: 4, what: "200 stored files, 1 GB", files: 200, least: 5_000_000, most: 6_000_000, stored: 100},
	"E": {job: 5, what: "3 files of 5,000, 2 GB", files: 5_000, least: 300_000, most: 500_000, stored: 100, wanted: []string{"d000/f00001.bin", "d244/f02040.bin", "d599/f04999.bin"}},
}

// generate writes the archive. The same scale gives the same bytes.
func (a archive) generate(w io.Writer, scale int) error {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 5) })
	r := rand.New(rand.NewPCG(uint64(a.job), 7))
	pool := text(r, 32<<20/max(scale/8, 1), a.fresh) // tests need little of it
	noise := make([]byte, 8<<20)
	_, _ = rand.NewChaCha8([32]byte{byte(a.job)}).Read(noise) // never fails
	files, shrink := a.files/scale, 1
	if a.wanted != nil {
		files = a.files // here the number matters, not the size
		shrink = scale
	}
	if files == 0 {
		files, shrink = 1, scale
	}
	for i := range files {
		h := &zip.FileHeader{Name: fileName(i, files), Method: zip.Deflate}
		h.SetMode(0o644)
		from := pool
		if r.IntN(100) < a.stored {
			h.Method, from = zip.Store, noise
		}
		e, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if err := fill(e, r, from, (a.least+r.IntN(a.most-a.least))/shrink); err != nil {
			return err
		}
	}
	if err := link(z, a.links/scale, files); err != nil {
		return err
	}
	return z.Close()
}

// fileName returns the name of one of n files. They are spread over up to 600
// directories, in order, as the runner writes them.
func fileName(i, n int) string { return fmt.Sprintf("d%03d/f%05d.bin", i*600/n, i) }

// link adds links to the first files.
func link(z *zip.Writer, n, all int) error {
	for i := range n {
		h := &zip.FileHeader{Name: fmt.Sprintf("link%02d", i)}
		h.SetMode(fs.ModeSymlink | 0o777)
		e, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(e, fileName(i, all)); err != nil {
			return err
		}
	}
	return nil
}

// fill writes n bytes from anywhere in the pool.
func fill(w io.Writer, r *rand.Rand, pool []byte, n int) error {
	for n > 0 {
		piece := min(n, 1+r.IntN(len(pool)/2))
		at := r.IntN(len(pool) - piece)
		if _, err := w.Write(pool[at : at+piece]); err != nil {
			return err
		}
		n -= piece
	}
	return nil
}

// text returns n bytes of words, of which the common ones are very common, of numbers,
// and of repeated phrases; fresh is the percentage without phrases. It compresses to a
// quarter (50) or more (90: 0.37).
func text(r *rand.Rand, n, fresh int) []byte {
	words := make([][]byte, 4000)
	for i := range words {
		word := make([]byte, 2+r.IntN(9))
		for j := range word {
			word[j] = "etaoinshrdlucmfw_.gyp"[r.IntN(21)]
		}
		words[i] = word
	}
	const phrase, reach = 64, 6000 // bytes
	common := rand.NewZipf(r, 1.1, 4, uint64(len(words)-1))
	out := make([]byte, 0, n+phrase)
	for len(out) < n {
		switch k := r.IntN(100); {
		case k < fresh/3:
			out = fmt.Appendf(out, "%08x", r.Uint32())
		case k < fresh || len(out) < 2*phrase:
			out = append(out, words[common.Uint64()]...)
			out = append(out, " \n\t(;"[r.IntN(5)])
		default:
			at := len(out) - phrase - r.IntN(min(len(out), reach)-phrase)
			out = append(out, out[at:at+8+r.IntN(phrase-8)]...)
		}
	}
	return slices.Clip(out[:n])
}

func (a archive) write(path string, scale int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := a.generate(f, scale); err != nil {
		return err
	}
	return f.Close()
}
