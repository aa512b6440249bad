//go:build linux

package main

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"gitlab.com/artifetch/artifetch/internal/inflate"
)

// limits are the times that a machine needs for each part of the work, alone, with one
// goroutine, in memory.
type limits struct {
	Size    int64         // of the archive
	Inflate time.Duration // decompression and CRC-32 of the wanted entries
	Write   time.Duration // creating and writing them
	Entries int           // number of wanted entries
}

// least is the shortest possible time with all CPUs: transfer, decompression and writing,
// evenly shared. A single stream can't be shared.
func (l limits) least(line sample) time.Duration {
	all := (l.Inflate + l.Write + line.cpu + line.server) / time.Duration(runtime.NumCPU())
	if l.Entries == 1 {
		return max(all, l.Inflate)
	}
	return all
}

// limits measures the parts in a separate process, because this process's memory would
// count as the peak of every process that it starts.
func (b *bench) limits(ctx context.Context, name, file string) (limits, error) {
	var all []limits
	for range b.runs {
		cmd := exec.CommandContext(ctx, os.Args[0], "-measure", file, "-corpora", name)
		cmd.Dir = b.dir
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return limits{}, err
		}
		var one limits
		if err := json.Unmarshal(out, &one); err != nil {
			return limits{}, err
		}
		all = append(all, one)
	}
	best := all[0]
	for _, one := range all {
		best.Inflate, best.Write = min(best.Inflate, one.Inflate), min(best.Write, one.Write)
	}
	return best, nil
}

// measure prints the limits of an archive to standard output.
func measure(file string, wanted []string) error {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	defer func() { _ = archive.Close() }() // only read
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	l := limits{Size: info.Size()}
	entries := slices.DeleteFunc(slices.Clone(archive.File), func(f *zip.File) bool {
		return !f.Mode().IsRegular() || len(wanted) > 0 && !slices.Contains(wanted, f.Name)
	})
	l.Entries = len(entries)
	w := newPure()
	for _, f := range entries {
		if err := w.inflate(f); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	l.Inflate = w.took
	if l.Write, err = write(entries); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(l)
}

// pure decompresses without writing anything.
type pure struct {
	d        inflate.Decoder
	in, out  []byte
	took     time.Duration
	checksum uint32
}

func newPure() *pure {
	return &pure{in: make([]byte, 1<<20), out: make([]byte, inflate.WindowSize+256<<10)}
}

func (p *pure) inflate(f *zip.File) error {
	packed, err := f.OpenRaw()
	if err != nil {
		return err
	}
	p.d.Reset()
	p.checksum = 0
	from, pos := 0, 0
	for {
		n, err := io.ReadFull(packed, p.in) // not counted: it is part of the transfer
		start := time.Now()
		switch {
		case f.Method == zip.Store:
			p.checksum = crc32.Update(p.checksum, crc32.IEEETable, p.in[:n])
		default:
			if from, pos, err = p.decode(p.in[:n], from, pos, err); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return err
			}
		}
		p.took += time.Since(start)
		if err != nil {
			break
		}
	}
	p.checksum = crc32.Update(p.checksum, crc32.IEEETable, p.out[from:pos])
	if f.Method == zip.Deflate && p.checksum != f.CRC32 {
		return errors.New("wrong CRC-32")
	}
	return nil
}

// decode decompresses one piece of input. It returns end unless it fails.
func (p *pure) decode(src []byte, from, pos int, end error) (int, int, error) {
	for !p.d.Done() {
		next, taken, err := p.d.Decode(p.out, pos, src)
		if err != nil {
			return from, pos, err
		}
		if src = src[taken:]; len(src) == 0 && next == pos {
			break
		}
		if pos = next; len(p.out)-pos < 512 {
			p.checksum = crc32.Update(p.checksum, crc32.IEEETable, p.out[from:pos])
			copy(p.out, p.out[pos-inflate.WindowSize:pos])
			from, pos = inflate.WindowSize, inflate.WindowSize
		}
	}
	return from, pos, end
}

// write creates files with the sizes of the entries, and removes them.
func write(entries []*zip.File) (time.Duration, error) {
	root, err := os.MkdirTemp(".", "write-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(root) }() // a temporary directory
	content := make([]byte, 1<<20)
	for _, f := range entries {
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(f.Name)), 0o755); err != nil {
			return 0, err
		}
	}
	start := time.Now()
	for _, f := range entries {
		if err := writeOne(filepath.Join(root, f.Name), content, int64(f.UncompressedSize64)); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

func writeOne(path string, content []byte, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	for ; size > 0 && err == nil; size -= int64(len(content)) {
		_, err = f.Write(content[:min(size, int64(len(content)))])
	}
	return errors.Join(err, f.Close())
}
