package zipfile

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"testing"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/ziptest"
)

// unlimited is a budget without limits.
type unlimited struct{}

// Entries implements [archive.Budget].
func (unlimited) Entries(int64) error { return nil }

// Name implements [archive.Budget].
func (unlimited) Name(int) error { return nil }

func directoryOf(zipped []byte) ([]Entry, error) {
	return ReadDirectory(bytes.NewReader(zipped), int64(len(zipped)), unlimited{})
}

// An archive has exactly one end record. A comment may look like another one if no program
// could mistake it for one.
func TestTwoEndRecords(t *testing.T) {
	t.Parallel()
	zipped := ziptest.Copies(t, 1, []byte("x"), zip.Store)
	other := make([]byte, lenEnd) // of an empty archive
	copy(other, "PK\x05\x06")
	withComment := func(comment []byte) []byte {
		b := slices.Clone(zipped)
		le.PutUint16(b[len(b)-2:], uint16(len(comment)))
		return append(b, comment...)
	}
	if _, err := directoryOf(withComment(other)); !is[*archive.UnsafeError](err) {
		t.Errorf("two end records: %v", err)
	}
	if entries, err := directoryOf(withComment(append(other, 'x'))); err != nil || len(entries) != 1 {
		t.Errorf("a comment that does not fit: %d entries, %v", len(entries), err)
	}
}

// The zip64 end record must agree with the short one where that isn't saturated.
func TestEndRecordsDisagree(t *testing.T) {
	t.Parallel()
	end := endRecord{entries: math.MaxUint16, size: 4700, offset: math.MaxUint32}
	for _, tt := range []struct {
		long endRecord
		want bool
	}{
		{endRecord{entries: 100, size: 4700, offset: 5}, true},
		{endRecord{entries: 100, size: 4701, offset: 5}, false},
		{endRecord{entries: 1 << 40, size: 4700, offset: 1 << 40}, true},
	} {
		if got := end.agrees(tt.long); got != tt.want {
			t.Errorf("agrees(%+v) = %v", tt.long, got)
		}
	}
	zipped := ziptest.Copies(t, 66_000, nil, zip.Store) // enough for zip64
	if _, err := directoryOf(zipped); err != nil {
		t.Fatal(err)
	}
	le.PutUint32(zipped[len(zipped)-lenEnd+12:], 99) // size of the directory
	if _, err := directoryOf(zipped); !is[*archive.UnsafeError](err) {
		t.Errorf("two sizes: %v", err)
	}
}

// withEnd64 inserts a zip64 end record and its locator before the end record, which keeps
// all the values that it can hold, as Info-ZIP does. change may change all three.
func withEnd64(zipped []byte, change func(record, locator, end []byte)) []byte {
	end := slices.Clone(zipped[len(zipped)-lenEnd:])
	at := len(zipped) - lenEnd
	record := le.AppendUint32(nil, sigEnd64)
	record = le.AppendUint64(record, lenEnd64-12)
	record = append(record, 45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	for _, n := range []uint64{uint64(le.Uint16(end[8:])), uint64(le.Uint16(end[10:])), uint64(le.Uint32(end[12:])), uint64(le.Uint32(end[16:]))} {
		record = le.AppendUint64(record, n)
	}
	locator := le.AppendUint64(le.AppendUint32(le.AppendUint32(nil, sigEnd64Locate), 0), uint64(at))
	locator = le.AppendUint32(locator, 1)
	if change != nil {
		change(record, locator, end)
	}
	return slices.Concat(zipped[:at], record, locator, end)
}

// If there is a locator, the zip64 record counts, and must agree with the short one as far
// as that can hold the values: Info-ZIP writes both for each stream.
func TestZip64Records(t *testing.T) {
	t.Parallel()
	zipped := ziptest.Copies(t, 2, []byte("content"), zip.Store)
	unsafe, damaged := "*archive.UnsafeError", "*archive.CorruptError"
	for _, tt := range []struct {
		name   string
		change func(record, locator, end []byte)
		want   string // type of the error
	}{
		{"both say all", nil, "<nil>"},
		{"the short one cannot say how many", func(_, _, end []byte) { le.PutUint32(end[8:], math.MaxUint32) }, "<nil>"},
		{"nor how large", func(_, _, end []byte) { le.PutUint32(end[12:], math.MaxUint32) }, "<nil>"},
		{"nor where", func(_, _, end []byte) { le.PutUint32(end[16:], math.MaxUint32) }, "<nil>"},
		{"nor on which disk", func(_, _, end []byte) { le.PutUint32(end[4:], math.MaxUint32) }, "<nil>"},
		{"it says nothing", func(_, _, end []byte) { copy(end[4:20], bytes.Repeat([]byte{0xff}, 16)) }, "<nil>"},
		{"another number", func(record, _, _ []byte) { record[24]--; record[32]-- }, unsafe},
		{"another size", func(record, _, _ []byte) { record[40]++ }, unsafe},
		{"another offset", func(record, _, _ []byte) { record[48]-- }, unsafe},
		{"another offset, which only the long one says", func(record, _, end []byte) { record[48]++; le.PutUint32(end[16:], math.MaxUint32) }, damaged},
		{"a locator without a record", func(record, _, _ []byte) { record[0] = 0 }, damaged},
		{"a longer record", func(record, _, _ []byte) { record[4]++ }, damaged},
		{"a record on another disk", func(record, _, _ []byte) { record[16]++ }, damaged},
		{"a directory on another disk", func(record, _, _ []byte) { record[20]++ }, damaged},
		{"entries on another disk", func(record, _, _ []byte) { record[24]-- }, damaged},
		{"another disk", func(_, _, end []byte) { end[4]++ }, damaged},
		{"a directory on another disk, says the short one", func(_, _, end []byte) { end[6]++ }, damaged},
		{"entries on another disk, says the short one", func(_, _, end []byte) { end[8]-- }, damaged},
		{"no locator", func(_, locator, _ []byte) { locator[0] = 0 }, damaged},
	} {
		entries, err := directoryOf(withEnd64(zipped, tt.change))
		if got := fmt.Sprintf("%T", err); got != tt.want || err == nil && len(entries) != 2 {
			t.Errorf("%s: %d entries, %v (%s), want %s", tt.name, len(entries), err, got, tt.want)
		}
	}
	small := withEnd64(ziptest.Copies(t, 0, nil, zip.Store), nil)
	if _, err := directoryOf(small[lenEnd64:]); !is[*archive.CorruptError](err) {
		t.Errorf("no room for a record: %v", err)
	}
	if entries, err := directoryOf(append([]byte("#!/bin/sh\n"), withEnd64(zipped, nil)...)); err != nil || len(entries) != 2 {
		t.Errorf("with something in front: %v", err)
	}
}

// A record that says that there are no entries doesn't make a directory empty.
func TestDirectoryThatIsNotSaid(t *testing.T) {
	t.Parallel()
	zipped := ziptest.Copies(t, 1, []byte("content"), zip.Store)
	clear(zipped[len(zipped)-lenEnd+8 : len(zipped)-lenEnd+16]) // numbers and size
	if entries, err := directoryOf(zipped); !is[*archive.CorruptError](err) {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

// A signed 32-bit time ends in 2038; the year in the DOS time resolves it.
func TestModTimes(t *testing.T) {
	t.Parallel()
	extended := func(seconds uint32) []byte { return le.AppendUint32([]byte{0x55, 0x54, 5, 0, 1}, seconds) }
	dos := func(year int) uint16 { return uint16(year-1980)<<9 | 6<<5 | 7 }
	for _, tt := range []struct {
		date  uint16
		extra []byte
		want  int // year
	}{
		{dos(2025), extended(1750000000), 2025},
		{dos(2039), extended(2_200_000_000), 2039},
		{dos(2105), extended(math.MaxUint32 - 1e7), 2105},
		{dos(2038), extended(math.MaxInt32 - 1e6), 2038},
		{dos(1980), extended(math.MaxUint32 - 1e9), 1938}, // 1980 is the first possible year
		{0, extended(math.MaxUint32 - 1e9), 1938},
		{dos(2039), nil, 2039},
		{dos(2017), []byte{0x55, 0x58, 8, 0, 0, 0, 0, 0, 0xd7, 0x4a, 0xf9, 0x59}, 2017},
		{dos(1980), []byte{0x55, 0x58, 8, 0, 0, 0, 0, 0, 0xd7, 0x4a, 0xf9, 0x59}, 2017},
		{dos(2039), []byte{0x55, 0x58, 4, 0, 0, 0, 0, 0}, 2039},
		{dos(2039), extended(2_200_000_000)[:4], 2039}, // truncated
	} {
		header := make([]byte, lenCentral+1)
		le.PutUint32(header, sigCentral)
		le.PutUint16(header[14:], tt.date)
		le.PutUint16(header[28:], 1)
		le.PutUint16(header[30:], uint16(len(tt.extra)))
		var e Entry
		if err := e.parse(append(header, tt.extra...), endRecord{}); err != nil || e.ModTime.Year() != tt.want {
			t.Errorf("date %#x, extra %x: %v, %v, want %d", tt.date, tt.extra, e.ModTime, err, tt.want)
		}
	}
}

// A count of entries that doesn't fit is refused, however large it is.
func TestImpossibleCounts(t *testing.T) {
	t.Parallel()
	for _, entries := range []int64{2, 1 << 40, 1 << 62, math.MaxInt64} {
		end := endRecord{entries: entries, size: lenCentral}
		if err := end.place(1000); err == nil {
			t.Errorf("%d entries in a directory for one", entries)
		}
	}
}

// Only a slash marks a directory: on Unix, a\ is a file, and its content must not be lost.
func TestFileModes(t *testing.T) {
	t.Parallel()
	const unix, dos = 3, 0
	for _, tt := range []struct {
		creator    byte
		attributes uint32
		name       string
		want       fs.FileMode
	}{
		{unix, 0o100644 << 16, "a", 0o644},
		{unix, 0o104755 << 16, "a", 0o755},
		{unix, 0o100644 << 16, `a\`, 0o644},
		{unix, 0o040700 << 16, "a/", fs.ModeDir | 0o700},
		{unix, 0o100700 << 16, "a/", fs.ModeDir | 0o700},
		{unix, 0o120777 << 16, "a", fs.ModeSymlink | 0o777},
		{unix, 0, "a", 0o644},
		{unix, 0o100000 << 16, "a", 0},
		{unix, 0o040000 << 16, "a/", fs.ModeDir},
		{unix, 0, "a/", fs.ModeDir | 0o755},
		{dos, 0x20, "a", 0o644},
		{dos, 0x10, `a\`, fs.ModeDir | 0o755},
		{dos, 0o120777 << 16, "a", 0o644}, // DOS has no links
	} {
		if got := fileMode(tt.creator, tt.attributes, tt.name); got != tt.want {
			t.Errorf("fileMode(%d, %#x, %q) = %v, want %v", tt.creator, tt.attributes, tt.name, got, tt.want)
		}
	}
}

func TestDirectoryWithContent(t *testing.T) {
	t.Parallel()
	e := &Entry{Header: archive.Header{Name: "d/", Mode: fs.ModeDir | 0o755, Size: 5}, Packed: 5}
	if err := e.CheckKind(); !is[*archive.CorruptError](err) {
		t.Errorf("error = %v: content of a directory would get lost", err)
	}
}
