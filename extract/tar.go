package extract

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// A tar is written in records of up to 20 blocks, unless the user chooses another size
// (POSIX.1-2017, pax, option -b).
const (
	tarBlock  = 512
	tarRecord = 20 * tarBlock
)

// isEmptyTar reports whether data is a whole tar without members: one record of zeros,
// whose first two blocks mark the end. A longer file of zeros has probably lost its
// content.
func isEmptyTar(data []byte) bool {
	return len(data) >= 2*tarBlock && len(data) <= tarRecord && len(data)%tarBlock == 0 && len(bytes.Trim(data, "\x00")) == 0
}

// emptyTar reports whether a decompressed file that begins with head is a tar without
// members. Other files may have only zeros, too, so its name counts, if it has one.
func (x *untar) emptyTar(head []byte) bool {
	if x.opts.BareName == "" {
		return isEmptyTar(head)
	}
	end := make([]byte, 2*tarBlock)
	return bytes.HasPrefix(head, end) && strings.HasSuffix(strings.ToLower(x.opts.BareName), ".tar")
}

// tar reads the members of a tar.
func (x *untar) tar(ctx context.Context, content io.Reader) error {
	end := &tarEnd{r: content}
	if err := walkTar(ctx, end, x.member); err != nil {
		return err
	}
	if end.missing {
		return x.fail(archive.Corrupt("", "the tar has no end: it was cut off between two files"))
	}
	// The rest isn't part of the tar, but the checksum of a compression follows it.
	_, err := io.Copy(io.Discard, content)
	return err
}

// tarEnd notes whether the reader of a tar ran out of bytes. Two blocks of zeros end a
// tar (POSIX.1-2017, pax, "ustar Interchange Format"), and there the reader stops. But it
// also takes the end of the bytes between two members for the end of the tar.
type tarEnd struct {
	r       io.Reader
	missing bool
}

// Read implements [io.Reader].
func (t *tarEnd) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if n == 0 && archive.AtEnd(err) {
		t.missing = true
	}
	return n, err
}

// Types of GNU tar that aren't in POSIX: GNU tar, tar.h.
const (
	typeDumpDir = 'D' // a directory, with a list of what was in it
	typeVolume  = 'V' // the label of an archive
)

// member stages one member of a tar.
func (x *untar) member(ctx context.Context, h *tar.Header, content io.Reader) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	// A name may be part of a header of up to 1 MiB: the copy lets go of that.
	e := &entry{Header: &archive.Header{Name: strings.Clone(h.Name), Mode: h.FileInfo().Mode().Perm(), ModTime: h.ModTime.UTC(), Size: h.Size}}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
	case tar.TypeDir, typeDumpDir:
		e.Mode |= fs.ModeDir
	case tar.TypeSymlink:
		e.Mode |= fs.ModeSymlink
	case tar.TypeLink:
		e.Size = 0
		return x.hardLink(e, h.Linkname)
	case tar.TypeXGlobalHeader, typeVolume:
		return nil
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return x.fail(&UnsafeError{Entry: h.Name, Reason: "it is a device or a pipe"})
	default:
		return x.fail(&UnsafeError{Entry: h.Name, Reason: fmt.Sprintf("it is of type %q, which is not supported", h.Typeflag)})
	}
	return x.add(e, strings.Clone(h.Linkname), content)
}
