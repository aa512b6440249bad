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

// archive describes what is generated, at full scale.
type archive struct {
	job    int
	what   string
	files  int
	least  int // bytes of a file
	most   int
	store  bool
	links  int
	wanted []string // nil means all
}

var archives = map[string]archive{
	"A": {job: 1, what: "20,000 files of 1–16 kB", files: 20_000, least: 1_000, most: 16_000},
	"B": {job: 2, what: "1,950 build outputs, 50 links", files: 1_950, least: 20_000, most: 950_000, links: 50},
	"C": {job: 3, what: "one file of 1 GB", files: 1, least: 1_070_000_000, most: 1_070_000_001},
	"D": {job: 4, what: "200 stored files, 1 GB", files: 200, least: 5_000_000, most: 6_000_000, store: true},
	"E": {job: 5, what: "3 files of 5,000, 2 GB", files: 5_000, least: 300_000, most: 500_000, store: true, wanted: []string{"d01/f00001.bin", "d40/f02040.bin", "d99/f04999.bin"}},
}

// generate writes the archive. The same scale makes the same bytes.
func (a archive) generate(w io.Writer, scale int) error {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 5) })
	r := rand.New(rand.NewPCG(uint64(a.job), 7))
	pool := filler(r, 32<<20)
	noise := make([]byte, 8<<20)
	_, _ = rand.NewChaCha8([32]byte{byte(a.job)}).Read(noise) // never fails
	files, shrink := a.files/scale, 1
	if a.wanted != nil {
		files = a.files // the number matters, not the size
		shrink = scale
	}
	if files == 0 {
		files, shrink = 1, scale
	}
	for i := range files {
		h := &zip.FileHeader{Name: fmt.Sprintf("d%02d/f%05d.bin", i%100, i), Method: zip.Deflate}
		h.SetMode(0o644)
		from := pool
		if a.store {
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
	for i := range a.links / scale {
		h := &zip.FileHeader{Name: fmt.Sprintf("link%02d", i)}
		h.SetMode(fs.ModeSymlink | 0o777)
		e, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(e, "d%02d/f%05d.bin", i, i); err != nil {
			return err
		}
	}
	return z.Close()
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

// filler is text and tables that compress to about a half, as object code and
// logs do.
func filler(r *rand.Rand, n int) []byte {
	words := make([][]byte, 3000)
	for i := range words {
		word := make([]byte, 2+r.IntN(10))
		for j := range word {
			word[j] = "etaoinshrdlucmfw_./ \x00\x01\xff"[r.IntN(23)]
		}
		words[i] = word
	}
	out := make([]byte, 0, n+64)
	for len(out) < n {
		switch r.IntN(8) {
		case 0:
			out = append(out, byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()))
		case 1:
			out = fmt.Appendf(out, "%08x ", r.Uint32())
		default:
			out = append(out, words[r.IntN(1+r.IntN(len(words)))]...)
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
