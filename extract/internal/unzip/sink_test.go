package unzip

import (
	"bytes"
	"context"
	"io"
	"sync"
	"testing"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/codec"
	"gitlab.com/artifetch/artifetch/extract/internal/zipfile"
)

// unlimited is a budget without limits.
type unlimited struct{}

// Entries implements [archive.Budget].
func (unlimited) Entries(int64) error { return nil }

// Name implements [archive.Budget].
func (unlimited) Name(int) error { return nil }

// entriesOf reads the directory of a zip.
func entriesOf(t *testing.T, src archive.Source) []*zipfile.Entry {
	t.Helper()
	listed, err := zipfile.ReadDirectory(src, src.Size(), unlimited{})
	if err != nil {
		t.Fatal(err)
	}
	entries := make([]*zipfile.Entry, len(listed))
	for i := range listed {
		entries[i] = &listed[i]
	}
	return entries
}

// extractAll extracts a whole zip.
func extractAll(ctx context.Context, t *testing.T, src archive.Source, sink Sink, p Pace) error {
	t.Helper()
	return Extract(ctx, src, entriesOf(t, src), sink, Options{Pace: p, Large: codec.NewLargeWindows(), OnPlan: func(int64) {}, OnRead: func(int) {}})
}

// memSink is a sink that counts files and, on request, keeps their content.
type memSink struct {
	keep bool

	mu    sync.Mutex
	files map[int][]byte // those that are whole
}

// Create implements [Sink].
func (m *memSink) Create(i int) (File, error) { return &memoryFile{sink: m, index: i}, nil }

// Link implements [Sink].
func (m *memSink) Link(i int, target string) error { return m.add(i, []byte("-> "+target)) }

func (m *memSink) add(i int, content []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files == nil {
		m.files = map[int][]byte{}
	}
	m.files[i] = content
	return nil
}

type memoryFile struct {
	bytes.Buffer
	sink  *memSink
	index int
}

// Write implements [io.Writer].
func (f *memoryFile) Write(p []byte) (int, error) {
	if !f.sink.keep {
		return io.Discard.Write(p)
	}
	return f.Buffer.Write(p)
}

// Close implements [File].
func (f *memoryFile) Close(err error) error {
	if err != nil {
		return err
	}
	return f.sink.add(f.index, f.Bytes())
}
