package extract

import (
	"bytes"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"testing"
)

func directoryOf(archive []byte) ([]*entry, error) {
	return readDirectory(bytes.NewReader(archive), int64(len(archive)), Options{}.withDefaults())
}

// An archive is what its one end record says. A comment may look like another
// one, as long as no program could take it for that.
func TestTwoEndRecords(t *testing.T) {
	t.Parallel()
	archive := storedZip(t, 1, []byte("x"))
	other := make([]byte, lenEnd) // of an empty archive
	copy(other, "PK\x05\x06")
	withComment := func(comment []byte) []byte {
		b := slices.Clone(archive)
		le.PutUint16(b[len(b)-2:], uint16(len(comment)))
		return append(b, comment...)
	}
	if _, err := directoryOf(withComment(other)); !is[*UnsafeError](err) {
		t.Errorf("two end records: %v", err)
	}
	if entries, err := directoryOf(withComment(append(other, 'x'))); err != nil || len(entries) != 1 {
		t.Errorf("a comment that does not fit: %d entries, %v", len(entries), err)
	}
}

// The zip64 end record must say what the short one says, where that can.
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
	archive := storedZip(t, 66_000, nil) // enough for zip64
	if _, err := directoryOf(archive); err != nil {
		t.Fatal(err)
	}
	le.PutUint32(archive[len(archive)-lenEnd+12:], 99) // size of the directory
	if _, err := directoryOf(archive); !is[*UnsafeError](err) {
		t.Errorf("two sizes: %v", err)
	}
}

// A count of entries that does not fit is refused, however large.
func TestImpossibleCounts(t *testing.T) {
	t.Parallel()
	for _, entries := range []int64{2, 1 << 40, 1 << 62, math.MaxInt64} {
		end := endRecord{entries: entries, size: lenCentral}
		if err := end.place(1000); err == nil {
			t.Errorf("%d entries in a directory for one", entries)
		}
	}
}

// Only a slash ends the name of a directory: what Unix calls a\ is a file, and
// its content must not get lost.
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
	e := &entry{name: "d/", mode: fs.ModeDir | 0o755, size: 5, packed: 5}
	if err := checkZip(e); !is[*CorruptError](err) {
		t.Errorf("error = %v: content of a directory would get lost", err)
	}
}

// New names can clash where the old ones did not.
func TestCollisions(t *testing.T) {
	t.Parallel()
	at := func(mode fs.FileMode, dests ...string) []*entry {
		var entries []*entry
		for i, d := range dests {
			entries = append(entries, &entry{name: strconv.Itoa(i), dest: d, mode: mode})
		}
		return entries
	}
	for _, tt := range []struct {
		name    string
		entries []*entry
		rules   rules
		want    bool // there is a conflict
	}{
		{"side by side", at(0, "a", "b/c"), rules{}, false},
		{"two files", at(0, "a", "a"), rules{}, true},
		{"two directories", at(fs.ModeDir, "a", "a"), rules{}, false},
		{"below a file", at(0, "a", "a/b/c"), rules{}, true},
		{"below a file that comes later", at(0, "a/b/c", "a"), rules{}, true},
		{"below a link", append(at(fs.ModeSymlink, "a"), at(0, "a/b")...), rules{}, true},
		{"below a directory", append(at(fs.ModeDir, "a"), at(0, "a/b")...), rules{}, false},
		{"by case", at(0, "a", "A"), rules{}, false},
		{"two files where case is the same", at(0, "a", "a"), rules{fold: true}, true},
	} {
		if err := tt.rules.fit(tt.entries); is[*ConflictError](err) != tt.want || err != nil && !tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
