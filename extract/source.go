package extract

import (
	"io"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// Source is an archive. All methods may be called concurrently. If it has a
// method Ahead() int64, that returns how many bytes from its beginning it holds
// before anyone reads them.
type Source = archive.Source

// FromReaderAt returns a Source that reads a local file.
func FromReaderAt(r io.ReaderAt, size int64) Source { return archive.FromReaderAt(r, size) }
