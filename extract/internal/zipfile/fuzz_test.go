package zipfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/ziptest"
)

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// stricter lists our refusals of archives that archive/zip accepts, and their reasons.
func stricter() map[string]string {
	return map[string]string{
		"it has two central directories":         "archive/zip takes the last of them",
		"its two end records disagree":           "archive/zip looks at one of them alone",
		"it is one part of several":              "archive/zip looks for no other parts",
		"the zip64 end record is missing":        "archive/zip does without",
		"the central directory does not fit":     "archive/zip does not ask how long it is",
		"the central directory is not as long":   "idem",
		"of the central directory are left over": "idem",
		"the central directory is damaged":       "idem: it ends where its end record is not",
		"it lacks":                               "archive/zip takes the directory where its offset says, and nothing else",
		"it overlaps the next entry":             "archive/zip does not compare entries",
		"it reaches into the central directory":  "idem",
		"no end of central directory record":     "archive/zip takes one whose comment goes on behind the file",
		"impossible sizes":                       "archive/zip finds out when it reads",
	}
}

// FuzzDirectory compares the parser with archive/zip: it lists what only one of them
// refuses; they read what both accept alike, and everything accepted is inside the
// archive.
func FuzzDirectory(f *testing.F) {
	ziptest.AddSeeds(f, "../../../testdata/samples")
	f.Add(withEnd64(ziptest.Tree(f), nil))
	f.Fuzz(func(t *testing.T, zipped []byte) {
		size := int64(len(zipped))
		entries, err := ReadDirectory(bytes.NewReader(zipped), size, unlimited{})
		if err != nil && !isTyped(err) {
			t.Fatalf("error of another type: %T: %v", err, err)
		}
		for _, e := range entries {
			if err == nil && (e.Offset < 0 || e.Packed < 0 || e.Size < 0 || e.End > size || e.Offset+lenLocal+e.Packed > e.End) {
				t.Fatalf("%q lies outside: offset %d, packed %d, end %d of %d", e.Name, e.Offset, e.Packed, e.End, size)
			}
		}
		oracle, oracleErr := zip.NewReader(bytes.NewReader(zipped), size)
		if errors.Is(oracleErr, zip.ErrInsecurePath) {
			oracleErr = nil // names are another matter
		}
		switch {
		case err != nil && oracleErr != nil:
		case err != nil:
			isMeant := func(text string) bool { return strings.Contains(err.Error(), text) }
			if !slices.ContainsFunc(slices.Collect(maps.Keys(stricter())), isMeant) {
				t.Errorf("refused: %v", err)
			}
		case oracleErr != nil:
			// archive/zip requires the whole comment, which is harmless. It ignores a zip64
			// record that it doesn't need, and takes it for data in front of the archive. And
			// it accepts anything after the archive that looks like an end record.
			i, _ := locateEnd(zipped, size)
			cut := i+lenEnd+int(le.Uint16(zipped[i+20:])) > len(zipped)
			long := i >= lenEnd64Locate && le.Uint32(zipped[i-lenEnd64Locate:]) == sigEnd64Locate
			if other := bytes.Contains(zipped[i+4:], []byte("PK\x05\x06")); !cut && !long && !other {
				t.Errorf("archive/zip refuses: %v", oracleErr)
			}
		default:
			sameEntries(t, entries, oracle.File)
		}
	})
}

func sameEntries(t *testing.T, entries []Entry, want []*zip.File) {
	t.Helper()
	if len(entries) != len(want) {
		t.Fatalf("%d entries, archive/zip has %d", len(entries), len(want))
	}
	for i, want := range want {
		got := entries[i]
		if got.stored != want.Name || got.Method != want.Method || uint64(got.Size) != want.UncompressedSize64 ||
			uint64(got.Packed) != want.CompressedSize64 || got.CRC32 != want.CRC32 {
			t.Fatalf("entry %d: %+v, archive/zip has %+v", i, got, want.FileHeader)
		}
	}
}

// FuzzNames checks that parsing a name again gives the same name, whatever its bytes are:
// UTF-8, or the raw bytes.
func FuzzNames(f *testing.F) {
	f.Add("\x81ber", "", uint16(0), byte(0))
	f.Add("über", "über", uint16(flagUTF8), byte(3))
	f.Add("../x", "..\x00", uint16(0), byte(19))
	f.Fuzz(func(t *testing.T, stored, unicode string, flags uint16, creator byte) {
		field := append([]byte{1}, le.AppendUint32(nil, crc32.ChecksumIEEE([]byte(stored)))...)
		x := extraFields{stored: stored}
		x.unicodePath(append(field, unicode...))
		name := entryName(stored, x.unicode, flags, creator)
		if name != stored && !utf8.ValidString(name) {
			t.Errorf("%q, %q: %q", stored, unicode, name)
		}
		if x.unicode != "" && x.unicode != unicode {
			t.Errorf("the field holds %q, not %q", unicode, x.unicode)
		}
		if name == "" && stored != "" {
			t.Errorf("%q became %q", stored, name)
		}
	})
}

// isTyped reports whether an error says why an archive is refused.
func isTyped(err error) bool {
	return is[*archive.CorruptError](err) || is[*archive.UnsafeError](err) || is[*archive.LimitError](err)
}
