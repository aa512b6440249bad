package console

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTable(t *testing.T) {
	t.Parallel()
	rows := [][]Cell{
		{{Plain: "1"}, {Plain: "a name that is long"}, {"1024", "1.0 KiB"}},
		{{Plain: "23"}, {Plain: "測試測試測試測試"}, {}},
	}
	for width, want := range map[int]string{
		0:  "1\ta name that is long\t1024\n23\t測試測試測試測試\t\n",
		80: "ID  NAME                 SIZE\n1   a name that is long  1.0 KiB\n23  測試測試測試測試\n",
		25: "ID  NAME          SIZE\n1   a name that…  1.0 KiB\n23  測試測試測…\n",
		5:  "ID  NAME      SIZE\n1   a name …  1.0 KiB\n23  測試測…\n",
	} {
		var out bytes.Buffer
		table := New(nil, &out, nil).Table(false, Column{Title: "ID"}, Column{Title: "NAME", Shrinks: true}, Column{Title: "SIZE"})
		table.width = width
		for _, row := range rows {
			if err := table.Add(row...); err != nil {
				t.Fatal(err)
			}
		}
		if err := table.Flush(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("%d columns wide: %s", width, diff)
		}
	}
}

// Where there isn't room, other columns are cut first, then some are left out, and the
// last column is cut only when it would be wide otherwise. No row is wider than the terminal.
func TestTableFits(t *testing.T) {
	t.Parallel()
	columns := []Column{{Title: "ID"}, {Title: "STAGE", Shrinks: true, Leaves: 1}, {Title: "NAME", Shrinks: true, Last: true}, {Title: "TOOK", Leaves: 2}}
	row := Text("12345678901", "a stage with a name", "build: [linux, amd64, release]", "1m2.5s")
	for width, want := range map[int]string{
		80: "ID           STAGE                NAME                            TOOK\n12345678901  a stage with a name  build: [linux, amd64, release]  1m2.5s\n",
		70: "ID           STAGE              NAME                            TOOK\n12345678901  a stage with a n…  build: [linux, amd64, release]  1m2.5s\n",
		58: "ID           STAGE     NAME                         TOOK\n12345678901  a stage…  build: [linux, amd64, rele…  1m2.5s\n",
		52: "ID           NAME                            TOOK\n12345678901  build: [linux, amd64, release]  1m2.5s\n",
		40: "ID           NAME\n12345678901  build: [linux, amd64, rele…\n",
		20: "ID           NAME\n12345678901  build:…\n",
		15: "ID           N…\n12345678901  b…\n",
	} {
		var out bytes.Buffer
		table := New(nil, &out, nil).Table(false, columns...)
		table.width = width
		if err := errors.Join(table.Add(row...), table.Flush()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("%d columns wide: %s", width, diff)
		}
	}
}

// On the narrowest of terminals, what stays is cut before the last column gets unreadable.
func TestTableKeepsTheLast(t *testing.T) {
	t.Parallel()
	for width, want := range map[int]string{
		42: "ID   STATUS                NAME   REF\n123  waiting_for_resource  a-job  refs/me…\n",
		35: "ID   STATUS                NAME\n123  waiting_for_resource  a-job\n",
		16: "ID   STA…  NAME\n123  wai…  a-job\n",
		11: "ID   …  NA…\n123  …  a-…\n",
	} {
		var out bytes.Buffer
		table := New(nil, &out, nil).Table(false, Column{Title: "ID"}, Column{Title: "STATUS"}, Column{Title: "NAME", Shrinks: true, Last: true}, Column{Title: "REF", Shrinks: true, Leaves: 1})
		table.width = width
		if err := errors.Join(table.Add(Text("123", "waiting_for_resource", "a-job", "refs/merge-requests/1/head")...), table.Flush()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("%d columns wide: %s", width, diff)
		}
	}
}

// Where no column may be cut, rows are as wide as they are: names can be copied.
func TestTableStaysWhole(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	table := New(nil, &out, nil).Table(false, make([]Column, 3)...)
	table.width = 10
	if err := errors.Join(table.Add(Text("-rw-r--r--", "20000", "dist/logs/build.log")...), table.Flush()); err != nil || out.String() != "-rw-r--r--  20000  dist/logs/build.log\n" {
		t.Errorf("%v, %q", err, out.String())
	}
}

// A name cannot break out of its cell.
func TestTableKeepsCellsApart(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := New(nil, &out, nil).Table(false, make([]Column, 2)...).Add(Text("a\tb\nc", "d")...); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), `a\u0009b\u000ac`+"\td\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Pairs leave out what has no value, and keep a value on its line.
func TestPairs(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := Pairs(&out, [][2]string{{"job_id", "7"}, {"a longer name", ""}, {"测试", "a\nb"}, {"url", "x "}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("job_id  7\n测试    a\\u000ab\nurl     x\n", out.String()); diff != "" {
		t.Error(diff)
	}
	if err := Pairs(brokenWriter{}, [][2]string{{"a", "b"}}); !errors.Is(err, errBroken) {
		t.Errorf("not written: %v", err)
	}
}
