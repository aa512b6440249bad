package extract

import (
	"cmp"
	"context"
	"io"
	"net/url"
	"path"
	"strings"
	"sync/atomic"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/codec"
	"gitlab.com/artifetch/artifetch/extract/internal/zipfile"
)

// ReportFormat is how a report is stored.
// https://docs.gitlab.com/ci/yaml/artifacts_reports/, and TYPE_AND_FORMAT_PAIRS of
// app/models/concerns/enums/ci/job_artifact.rb
type ReportFormat string

// The formats, by GitLab's names.
const (
	RawReport  ReportFormat = "raw"  // a single file
	GzipReport ReportFormat = "gzip" // one gzip member for each file
	ZipReport  ReportFormat = "zip"  // an archive
)

// Report says how to read a report of a job.
type Report struct {
	Format ReportFormat
	Name   string // of the upload, such as "junit.xml.gz"
}

// IsZip reports whether src is a zip archive, as the archive of a job is.
func IsZip(ctx context.Context, src Source) (bool, error) {
	if begins, err := beginsLikeZip(ctx, src); err != nil || !begins {
		return false, err
	}
	return zipfile.HasEnd(src, src.Size())
}

// ReportFormatOf returns the format of a report by its first bytes, and a ZIP file's by
// its end. If it should be a gzip file but isn't, or if it is an HTML page, the error is
// a [*NotArchiveError]. An empty listed means unknown.
func ReportFormatOf(ctx context.Context, src Source, listed ReportFormat) (ReportFormat, error) {
	if isZip, err := IsZip(ctx, src); err != nil || isZip {
		if err == nil && listed == GzipReport {
			err = &NotArchiveError{What: "a zip archive", Gzip: true}
		}
		return ZipReport, err
	}
	head := make([]byte, min(src.Size(), sniffSize))
	if err := archive.ReadFull(src, head, 0); err != nil {
		return "", err
	}
	not := notArchive(head)
	not.Gzip = listed == GzipReport && !strings.Contains(not.What, "HTML")
	switch {
	case strings.HasPrefix(string(head), "\x1f\x8b"):
		return GzipReport, nil
	case strings.Contains(not.What, "HTML"), not.Gzip:
		return "", not
	}
	return RawReport, nil
}

// CheckReport returns an error if a report is incomplete, as far as its format shows: a
// ZIP file lacks its end, or a member of a gzip file differs from its checksum. A raw
// report can't be checked.
func CheckReport(ctx context.Context, src Source, r Report) error {
	switch r.Format {
	case ZipReport:
		return CheckEnd(ctx, src)
	case GzipReport:
		return readReport(ctx, src, r, func(*archive.Header, io.Reader) error { return nil })
	}
	return nil
}

// AddReport is [Stage.Add] for a report. A raw report's file has the name of the report,
// and a gzip report's files have the paths in its members.
func (s *Stage) AddReport(ctx context.Context, src Source, r Report, o Options) (Stats, error) {
	return s.adding(ctx, o, func(o Options) (Stats, error) {
		o.budget.archive = src.Size()
		if r.Format == ZipReport {
			if err := mustBeZip(ctx, src); err != nil {
				return Stats{}, err
			}
			return s.zip(ctx, src, o)
		}
		return s.streaming(ctx, src, &format{name: string(r.Format)}, o, func(x *untar, arriving io.Reader) error {
			if r.Format == GzipReport {
				return x.members(ctx, r, arriving)
			}
			return x.add(&entry{Header: r.rawHeader(src)}, "", arriving)
		})
	})
}

// members stages the members of a gzip report.
func (x *untar) members(ctx context.Context, r Report, arriving io.Reader) error {
	return x.fail(eachFile(ctx, r, arriving, x.opts, func(h *archive.Header, content io.Reader) error {
		return x.addUnsized(&entry{Header: h}, content)
	}))
}

// eachFile passes the files of a gzip report to visit. It also decompresses what visit
// doesn't read, to find the next file.
func eachFile(ctx context.Context, r Report, src io.Reader, o Options, visit func(*archive.Header, io.Reader) error) error {
	return codec.EachMember(src, func(m codec.Member, content io.Reader) error {
		h := &archive.Header{Name: r.pathOf(m), Mode: archive.DefaultMode, ModTime: m.ModTime}
		plain := &counted{ctx: ctx, opts: o, r: codec.Reader{Reader: codec.GuardReader(content), Entry: h.Name, Format: string(GzipReport)}}
		if err := visit(h, plain); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, plain)
		return err
	})
}

// pathOf returns the path of a file in a gzip report. GitLab Runner puts it into the
// comment of the member, relative to the project's directory, and if it has a percent sign
// or isn't ASCII, as "e:" with escapes (helpers/archives/gzip_create.go).
func (r Report) pathOf(m codec.Member) string {
	for _, text := range []string{m.Comment, m.Name} {
		if text == "" {
			continue
		}
		if escaped, ok := strings.CutPrefix(text, "e:"); ok && strings.Contains(escaped, "%") {
			if plain, err := url.PathUnescape(escaped); err == nil {
				return plain
			}
		}
		return text
	}
	return strings.TrimSuffix(path.Base(r.Name), ".gz")
}

// rawHeader describes the file of a raw report.
func (r Report) rawHeader(src Source) *archive.Header {
	return &archive.Header{Name: path.Base(r.Name), Mode: archive.DefaultMode, Size: src.Size()}
}

// ListReport is [List] for a report. To list a gzip one, all of it is decompressed.
func ListReport(ctx context.Context, src Source, r Report, sel Selection) ([]Listed, error) {
	if r.Format == ZipReport {
		return List(ctx, src, sel)
	}
	entries, err := reportEntries(ctx, src, r)
	if err != nil {
		return nil, err
	}
	selected, err := selectAnyName(entries, sel)
	return listEntries(selected), err
}

func listEntries(entries []*entry) []Listed {
	listed := make([]Listed, len(entries))
	for i, e := range entries {
		listed[i] = Listed{Name: e.Name, Mode: e.Mode, Size: e.Size, ModTime: e.ModTime}
	}
	return listed
}

// reportEntries returns the files of a gzip or raw report.
func reportEntries(ctx context.Context, src Source, r Report) (entries []*entry, err error) {
	if r.Format != GzipReport {
		return []*entry{{Header: r.rawHeader(src)}}, nil
	}
	err = readReport(ctx, src, r, func(h *archive.Header, content io.Reader) (err error) {
		entries = append(entries, &entry{Header: h})
		h.Size, err = io.Copy(io.Discard, content)
		return err
	})
	return entries, err
}

// readReport reads a gzip report within the limits of an archive.
func readReport(ctx context.Context, src Source, r Report, visit func(*archive.Header, io.Reader) error) error {
	b := newBudget(Limits{})
	b.archive = src.Size()
	body, err := src.Range(ctx, 0, src.Size())
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // read to its end, or abandoned
	arriving := &archive.Reader{R: body, Moved: new(atomic.Int64), Waited: new(atomic.Int64), OnRead: func(int) {}}
	err = eachFile(ctx, r, arriving, Options{budget: b}, func(h *archive.Header, content io.Reader) error {
		if err := cmp.Or(b.count(1), b.Name(len(h.Name))); err != nil {
			return err
		}
		return visit(h, content)
	})
	if err != nil {
		err = arriving.Blame(err)
	}
	return err
}
