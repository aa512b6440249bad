package extract_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// member is one member of a gzip report; its texts are bytes, so that they can be hostile.
type member struct{ name, comment, content string }

func (m member) bytes(t testing.TB) []byte {
	t.Helper()
	packed := compress(t, []byte(m.content), func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
	head := append([]byte{}, packed[:10]...)
	for _, part := range []struct {
		text string
		flag byte
	}{{m.name, 1 << 3}, {m.comment, 1 << 4}} {
		if part.text != "" {
			head[3] |= part.flag
			head = append(append(head, part.text...), 0)
		}
	}
	return append(head, packed[10:]...)
}

func membersOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var all []byte
	for _, m := range members {
		all = append(all, m.bytes(t)...)
	}
	return all
}

// addReport extracts a report into a new directory, and returns its files with their
// content.
func addReport(t *testing.T, content []byte, r extract.Report, o extract.Options) (map[string]string, error) {
	t.Helper()
	dir := t.TempDir()
	stage, err := extract.NewStage(dir, extract.StageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stage.Discard() }()
	if _, err = stage.AddReport(t.Context(), source(content), r, o); err == nil {
		err = stage.Commit(t.Context())
	}
	_ = stage.Discard()
	return filesIn(t, dir), err
}

func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			files[filepath.ToSlash(name)] = read(t, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

var junit = extract.Report{Format: extract.GzipReport, Name: "junit.xml.gz"}

func TestReportOfRunner(t *testing.T) {
	t.Parallel()
	content := world.Gzipped(
		world.File{Name: "a/one.xml", Content: "<one/>"}, world.File{Name: "b/100%.xml", Content: "<two/>"},
		world.File{Name: "b/prüfung/測試.xml", Content: ""})
	got, err := addReport(t, content, junit, extract.Options{})
	want := map[string]string{"a/one.xml": "<one/>", "b/100%.xml": "<two/>", "b/prüfung/測試.xml": ""}
	if err != nil || cmp.Diff(want, got) != "" {
		t.Fatalf("%v, %s", err, cmp.Diff(want, got))
	}
	got, err = addReport(t, content, junit, extract.Options{Selection: extract.Selection{Include: []string{"b/**"}, StripComponents: 1, Prefix: "in"}})
	want = map[string]string{"in/100%.xml": "<two/>", "in/prüfung/測試.xml": ""}
	if err != nil || cmp.Diff(want, got) != "" {
		t.Fatalf("%v, %s", err, cmp.Diff(want, got))
	}
	if _, err = addReport(t, content, junit, extract.Options{Selection: extract.Selection{Include: []string{"c"}}}); !is[*extract.NoMatchError](err) {
		t.Errorf("a pattern without a match: %v", err)
	}
}

// The names of members: those that GitLab Runner writes, now and before it escaped them,
// and those that other writers leave out.
func TestNamesOfMembers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("d/", 150) + strings.Repeat("測", 80)
	for _, tt := range []struct {
		what string
		m    member
		want string
	}{
		{"no comment", member{name: "base.xml"}, "base.xml"},
		{"nothing", member{}, "junit.xml"},
		{"comment wins", member{name: "base.xml", comment: "dir/base.xml"}, "dir/base.xml"},
		{"Latin-1", member{comment: "pr\xfcfung.xml"}, "prüfung.xml"},
		{"UTF-8", member{comment: "prüfung.xml"}, "prüfung.xml"},
		{"slashes escaped", member{comment: "e:a%2Fpr%C3%BCfung.xml"}, "a/prüfung.xml"},
		{"slashes as they are", member{comment: "e:a/pr%C3%BCfung.xml"}, "a/prüfung.xml"},
		{"percent sign of an old runner", member{comment: "100%.xml"}, "100%.xml"},
		{"longer than Go's library reads", member{comment: "e:" + strings.NewReplacer("測", "%E6%B8%AC").Replace(long)}, long},
	} {
		t.Run(tt.what, func(t *testing.T) {
			t.Parallel()
			tt.m.content = "x"
			got, err := addReport(t, membersOf(t, tt.m), junit, extract.Options{})
			if err != nil || cmp.Diff(map[string]string{tt.want: "x"}, got) != "" {
				t.Errorf("%v, %q", err, got)
			}
		})
	}
}

func TestHostileReports(t *testing.T) {
	t.Parallel()
	good := member{comment: "good.xml", content: strings.Repeat("good ", 1000)}
	whole := membersOf(t, good, member{comment: "other.xml", content: good.content})
	many := membersOf(t, member{comment: "1"}, member{comment: "2"}, member{comment: "3"})
	flipped := bytes.Clone(membersOf(t, good))
	flipped[len(flipped)-6] ^= 1
	for _, tt := range []struct {
		what    string
		content []byte
		want    any
	}{
		{"absolute", membersOf(t, good, member{comment: "/etc/passwd"}), new(*extract.UnsafeError)},
		{"e: without escapes", membersOf(t, good, member{comment: "e:plain"}), new(*extract.UnsafeError)},
		{"e: with half an escape", membersOf(t, good, member{comment: "e:100%"}), new(*extract.UnsafeError)},
		{"drive letter", membersOf(t, good, member{comment: `c:\x`}), new(*extract.UnsafeError)},
		{"out of the directory", membersOf(t, good, member{comment: "a/../../x"}), new(*extract.UnsafeError)},
		{"escaped", membersOf(t, good, member{comment: "e:..%2F..%2Fx"}), new(*extract.UnsafeError)},
		{"a zero byte in disguise", membersOf(t, good, member{comment: "e:a%00b"}), new(*extract.UnsafeError)},
		{"git", membersOf(t, good, member{comment: ".git/hooks/post-checkout"}), new(*extract.UnsafeError)},
		{"twice", membersOf(t, good, good), new(*extract.UnsafeError)},
		{"twice, spelled differently", membersOf(t, good, member{comment: "./good.xml"}), new(*extract.UnsafeError)},
		{"twice without names", membersOf(t, member{content: "1"}, member{content: "2"}), new(*extract.UnsafeError)},
		{"below a file", membersOf(t, good, member{comment: "good.xml/more"}), new(*extract.UnsafeError)},
		{"the directory itself", membersOf(t, good, member{comment: "./"}), new(*extract.UnsafeError)},
		{"too many", many, new(*extract.LimitError)},
		{"long name", membersOf(t, member{comment: strings.Repeat("a", 20000)}), new(*extract.CorruptError)},
		{"cut off in the header", append(bytes.Clone(membersOf(t, good)), whole[:14]...), new(*extract.CorruptError)},
		{"cut off in the content", whole[:len(whole)/4], new(*extract.CorruptError)},
		{"cut off in the checksum", whole[:len(whole)-3], new(*extract.CorruptError)},
		{"wrong checksum", flipped, new(*extract.CorruptError)},
		{"not gzip behind", append(bytes.Clone(membersOf(t, good)), "junk"...), new(*extract.CorruptError)},
		{"junk behind zeros", append(bytes.Clone(membersOf(t, good)), "\x00\x00junk"...), new(*extract.CorruptError)},
		{"empty", nil, new(*extract.CorruptError)},
		{"HTML", []byte("<html>"), new(*extract.CorruptError)},
	} {
		t.Run(tt.what, func(t *testing.T) {
			t.Parallel()
			got, err := addReport(t, tt.content, junit, extract.Options{Limits: extract.Limits{MaxFiles: 2}})
			if !errors.As(err, tt.want) || len(got) > 0 {
				t.Errorf("%v (%T), %v", err, err, got)
			}
			_, listErr := extract.ListReport(t.Context(), source(tt.content), junit, extract.Selection{})
			if _, damaged := tt.want.(**extract.CorruptError); damaged && !is[*extract.CorruptError](listErr) {
				t.Errorf("list: %v", listErr)
			}
		})
	}
}

// A bomb is stopped at the limits, whether its members are selected or not.
func TestReportBombs(t *testing.T) {
	t.Parallel()
	bomb := membersOf(t, member{comment: "zeros", content: strings.Repeat("\x00", 4<<20)}, member{comment: "x", content: "x"})
	for _, o := range []extract.Options{
		{Limits: extract.Limits{MaxBytes: 1 << 20}},
		{Limits: extract.Limits{MaxBytes: 1}, Selection: extract.Selection{Include: []string{"zeros"}}},
	} {
		if got, err := addReport(t, bomb, junit, o); !is[*extract.LimitError](err) || strings.Contains(err.Error(), "corrupt") || len(got) > 0 {
			t.Errorf("%v, %v", err, got)
		}
	}
}

func TestTenThousandMembers(t *testing.T) {
	t.Parallel()
	const n = 10_000
	var files []world.File
	for i := range n {
		files = append(files, world.File{Name: fmt.Sprintf("r/%d.xml", i), Content: "<x/>"})
	}
	content := world.Gzipped(files...)
	got, err := addReport(t, content, junit, extract.Options{})
	if err != nil || len(got) != n || got["r/9999.xml"] != "<x/>" {
		t.Fatalf("%v, %d files", err, len(got))
	}
	listed, err := extract.ListReport(t.Context(), source(content), junit, extract.Selection{Include: []string{"r/77*.xml"}})
	if err != nil || len(listed) != 111 || listed[0].Size != 4 || !listed[0].ModTime.Equal(world.FixtureTime.Truncate(time.Second)) {
		t.Errorf("%v, %d files", err, len(listed))
	}
}

func TestRawAndZipReports(t *testing.T) {
	t.Parallel()
	raw := extract.Report{Format: extract.RawReport, Name: "gl-sast-report.json"}
	got, err := addReport(t, []byte("{}"), raw, extract.Options{})
	if err != nil || cmp.Diff(map[string]string{"gl-sast-report.json": "{}"}, got) != "" {
		t.Errorf("raw: %v, %v", err, got)
	}
	for _, name := range []string{"..", "", "a/..", ".git"} {
		if got, err := addReport(t, []byte("{}"), extract.Report{Format: extract.RawReport, Name: name}, extract.Options{}); !is[*extract.UnsafeError](err) || len(got) > 0 {
			t.Errorf("raw, named %q: %v, %v", name, err, got)
		}
	}
	if got, err := addReport(t, []byte("{}"), raw, extract.Options{Limits: extract.Limits{MaxBytes: 1}}); !is[*extract.LimitError](err) || len(got) > 0 {
		t.Errorf("raw, too large: %v, %v", err, got)
	}
	zip := world.Zip(world.File{Name: "dump.lsif", Content: "{}"})
	got, err = addReport(t, zip, extract.Report{Format: extract.ZipReport, Name: "lsif.zip"}, extract.Options{})
	if err != nil || cmp.Diff(map[string]string{"dump.lsif": "{}"}, got) != "" {
		t.Errorf("zip: %v, %v", err, got)
	}
	if _, err = addReport(t, []byte("{}"), extract.Report{Format: extract.ZipReport}, extract.Options{}); !is[*extract.NotArchiveError](err) {
		t.Errorf("a JSON document instead: %v", err)
	}
	if _, err = addReport(t, zip[:len(zip)-9], extract.Report{Format: extract.ZipReport}, extract.Options{}); !is[*extract.CorruptError](err) {
		t.Errorf("damaged zip: %v", err)
	}
}

func TestReportFormatOf(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]extract.ReportFormat{
		string(world.Zip(world.File{Name: "x"})): extract.ZipReport, string(membersOf(t, member{})): extract.GzipReport,
		"{}": extract.RawReport, "": extract.RawReport, "PK\x03\x04 without an end": extract.RawReport, "<?xml version=\"1.0\"?>": extract.RawReport,
	} {
		if got, err := extract.ReportFormatOf(t.Context(), source([]byte(content)), ""); err != nil || got != want {
			t.Errorf("%.20q: %q, %v", content, got, err)
		}
	}
	if _, err := extract.ReportFormatOf(t.Context(), source([]byte("<!DOCTYPE html><title>Sign in</title>")), ""); !is[*extract.NotArchiveError](err) {
		t.Errorf("a sign-in page: %v", err)
	}
	for content, want := range map[string]string{
		string(world.Zip(world.File{Name: "x"})): "not a gzip file: got a zip archive", "": "not a gzip file: got an empty body",
		`{"a":1}`: `not a gzip file: got a JSON document: "{\"a\":1}"`, "\x00\x01": "not a gzip file: got data of an unknown kind",
		"<html>Sign in": `not an archive: got an HTML page: "<html>Sign in"`,
	} {
		if _, err := extract.ReportFormatOf(t.Context(), source([]byte(content)), extract.GzipReport); !is[*extract.NotArchiveError](err) || err.Error() != want {
			t.Errorf("%.20q as gzip: %v, want %s", content, err, want)
		}
	}
}

// A report that is kept as it is must be complete, with nothing after it.
func TestCheckReport(t *testing.T) {
	t.Parallel()
	good := world.Gzipped(world.File{Name: "a", Content: "one"}, world.File{Name: "b", Content: strings.Repeat("two", 1000)})
	flipped := func(at int) []byte {
		other := bytes.Clone(good)
		other[at] ^= 1
		return other
	}
	zip := world.Zip(world.File{Name: "x"})
	for name, tt := range map[string]struct {
		content []byte
		format  extract.ReportFormat
		whole   bool
	}{
		"gzip": {good, extract.GzipReport, true}, "cut off": {good[:len(good)-1], extract.GzipReport, false},
		"more behind it": {append(bytes.Clone(good), "more"...), extract.GzipReport, false},
		"checksum":       {flipped(len(good) - 8), extract.GzipReport, false}, "length": {flipped(len(good) - 1), extract.GzipReport, false},
		"empty": {nil, extract.GzipReport, false}, "zip": {zip, extract.ZipReport, true}, "zip without an end": {zip[:len(zip)-3], extract.ZipReport, false},
		"raw": {[]byte("{"), extract.RawReport, true}, "empty raw": {nil, extract.RawReport, true},
	} {
		err := extract.CheckReport(t.Context(), source(tt.content), extract.Report{Format: tt.format})
		if (err == nil) != tt.whole || err != nil && !is[*extract.CorruptError](err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCatReport(t *testing.T) {
	t.Parallel()
	two := world.Gzipped(world.File{Name: "a/1.xml", Content: "one"}, world.File{Name: "a/2.xml", Content: "two"})
	one := world.Gzipped(world.File{Name: "a/1.xml", Content: "one"})
	raw := extract.Report{Format: extract.RawReport, Name: "sast.json"}
	for _, tt := range []struct {
		content []byte
		r       extract.Report
		name    string
		want    string
		err     any
	}{
		{two, junit, "./a/2.xml", "two", nil},
		{one, junit, "", "one", nil},
		{two, junit, "", "", new(*extract.SeveralFilesError)},
		{two, junit, "a/3.xml", "", new(*extract.NoMatchError)},
		{[]byte("{}"), raw, "", "{}", nil},
		{[]byte("{}"), raw, "sast.json", "{}", nil},
		{[]byte("{}"), raw, "dast.json", "", new(*extract.NoMatchError)},
		{world.Zip(world.File{Name: "x", Content: "y"}), extract.Report{Format: extract.ZipReport}, "", "y", nil},
		// What AddReport refuses as a whole, selected or not:
		{slices.Concat(one, one), junit, "a/1.xml", "", new(*extract.UnsafeError)},
		{slices.Concat(one, one), junit, "", "", new(*extract.UnsafeError)},
		{slices.Concat(one, world.Gzipped(world.File{Name: "./a//1.xml"})), junit, "a/1.xml", "", new(*extract.UnsafeError)},
		{slices.Concat(one, world.Gzipped(world.File{Name: "a"})), junit, "a/1.xml", "", new(*extract.UnsafeError)},
		{slices.Concat(one, world.Gzipped(world.File{Name: "../b"})), junit, "a/1.xml", "", new(*extract.UnsafeError)},
		{slices.Concat(one, two[:len(two)-1]), junit, "a/1.xml", "", new(*extract.CorruptError)},
		{[]byte("{}"), extract.Report{Format: extract.RawReport, Name: ".."}, "..", "", new(*extract.UnsafeError)},
	} {
		var out bytes.Buffer
		err := extract.CatReport(t.Context(), source(tt.content), tt.r, tt.name, &out)
		if out.String() != tt.want || (err == nil) != (tt.err == nil) || err != nil && !errors.As(err, tt.err) {
			t.Errorf("%q of %v: %q, %v", tt.name, tt.r, &out, err)
		}
	}
}

// A name can fill a screen, or a log.
func TestLongNamesInErrors(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(strings.Repeat("ü", 100)+"/", 9) + "x"
	for name, content := range map[string][]byte{
		"unsafe": membersOf(t, member{comment: "../" + long}), "corrupt": membersOf(t, member{comment: long, content: "x"})[:len(long)+16],
	} {
		if _, err := addReport(t, content, junit, extract.Options{}); err == nil || len(err.Error()) > 700 || !strings.Contains(err.Error(), `ü…": `) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTransferErrorsOfReports(t *testing.T) {
	t.Parallel()
	broken := errors.New("the connection is gone")
	content := world.Gzipped(world.File{Name: "a", Content: strings.Repeat("x", 1000)}, world.File{Name: "b"})
	stage, err := extract.NewStage(t.TempDir(), extract.StageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stage.Discard() }()
	src := breaking{source(content), broken}
	if _, err := stage.AddReport(t.Context(), src, junit, extract.Options{}); !errors.Is(err, broken) || is[*extract.CorruptError](err) {
		t.Errorf("%v", err)
	}
	if _, err := extract.ListReport(t.Context(), src, junit, extract.Selection{}); !errors.Is(err, broken) || is[*extract.CorruptError](err) {
		t.Errorf("list: %v", err)
	}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
