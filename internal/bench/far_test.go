//go:build linux

package main

import (
	"archive/zip"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/bench/slownet"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// The small archives look like a runner's, have the size in their name, and are the same
// on every machine.
func TestRunnerZips(t *testing.T) {
	t.Parallel()
	first, second, sizes := t.TempDir(), t.TempDir(), smallSizes[:2]
	for _, dir := range []string{first, second} {
		if err := writeRunnerZips(dir, sizes); err != nil {
			t.Fatal(err)
		}
	}
	for _, size := range sizes {
		one, err := os.ReadFile(filepath.Join(first, size.name))
		if err != nil {
			t.Fatal(err)
		}
		if two, err := os.ReadFile(filepath.Join(second, size.name)); err != nil || !bytes.Equal(one, two) {
			t.Errorf("%s differs from time to time: %v", size.name, err)
		}
		if n := int64(len(one)); n < size.bytes*97/100 || n > size.bytes*103/100 {
			t.Errorf("%s has %d bytes", size.name, n)
		}
		checkRunnerZip(t, size.name, one)
	}
}

func checkRunnerZip(t *testing.T, name string, archive []byte) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	methods, behind := map[uint16]int{}, false
	for _, f := range z.File {
		directory := strings.HasSuffix(f.Name, "/")
		if directory && behind {
			t.Errorf("%s: %s comes behind files", name, f.Name)
		}
		behind = behind || !directory
		if described := f.Flags&8 != 0; described == directory {
			t.Errorf("%s: %s has a data descriptor: %v", name, f.Name, described)
		}
		if !directory && f.UncompressedSize64 > 0 {
			methods[f.Method]++
		}
		if f.Method == zip.Deflate && f.CompressedSize64 >= f.UncompressedSize64 {
			t.Errorf("%s: a runner would store %s", name, f.Name)
		}
	}
	if methods[zip.Deflate] < 20 || methods[zip.Store] == 0 {
		t.Errorf("%s has files of each method: %v", name, methods)
	}
}

// The Makefile's patterns select the intended cells.
func TestCells(t *testing.T) {
	t.Parallel()
	if n := len(cells()); n != 32 {
		t.Errorf("%d cells, want 32", n)
	}
	text, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]int{"bench-quick": 2, "bench-smoke": 1} {
		found := regexp.MustCompile(`(?m)^` + target + `:\n\t.* -far '([^']+)'`).FindSubmatch(text)
		if found == nil {
			t.Errorf("%s selects no cells", target)
			continue
		}
		only, n := regexp.MustCompile(strings.ReplaceAll(string(found[1]), "$$", "$")), 0
		for _, c := range cells() {
			if only.MatchString(c.String()) {
				n++
			}
		}
		if n != want {
			t.Errorf("%s selects %d cells, want %d", target, n, want)
		}
	}
}

// The application server sends the ETag of new versions and supports If-Range.
func TestApplication(t *testing.T) {
	t.Parallel()
	archive := filepath.Join(t.TempDir(), "a.zip")
	content := gitlabtest.Zip(gitlabtest.File{Name: "a", Content: "a"})
	if err := os.WriteFile(archive, content, 0o600); err != nil {
		t.Fatal(err)
	}
	app := &application{gitlabtest.New(world(archive), gitlabtest.Options{}), 0, `"digest"`}
	for ifRange, want := range map[string]int{"": 206, `"digest"`: 206, `"another"`: 200} {
		r := httptest.NewRequest(http.MethodGet, "/api/v4/projects/1/jobs/artifacts/main/download?job=build", nil)
		r.Header.Set("JOB-TOKEN", farJobToken)
		r.Header.Set("Range", "bytes=0-3")
		if ifRange != "" {
			r.Header.Set("If-Range", ifRange)
		}
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		body, _ := io.ReadAll(w.Result().Body)
		if w.Code != want || w.Header().Get("ETag") != `"digest"` || want == 206 && !bytes.Equal(body, content[:4]) {
			t.Errorf("If-Range %s: %d, ETag %s, %d bytes", ifRange, w.Code, w.Header().Get("ETag"), len(body))
		}
	}
}

func TestTraffic(t *testing.T) {
	t.Parallel()
	start := time.UnixMilli(1_700_000_000_000)
	var tr traffic
	for _, line := range []string{
		"1700000000.150|8443|5001|200|300|0.050|.|application/json|-|/api/v4/projects/1/pipelines?ref=main\n",
		"1700000000.220|8443|5001|302|0|0.050|.|text/plain|-|/api/v4/projects/1/jobs/1/artifacts\n",
		"1700000000.290|9443|5002|416|0|0.000|r|application/octet-stream|bytes=9-|/artifacts/1/artifacts.zip?X-Amz-Signature=0123\n",
		"1700000000.300|9443|5002|206|1000|0.010|r|application/octet-stream|bytes=0-999|/artifacts/1/artifacts.zip?X-Amz-Signature=0123\n",
	} {
		a, err := parseAsked(line)
		if err != nil {
			t.Fatal(err)
		}
		tr.asked = append(tr.asked, a)
	}
	if _, err := parseAsked("nonsense\n"); err == nil {
		t.Error("nonsense was parsed")
	}
	tr.conns = []slownet.Connection{
		{Server: "gitlab", Port: 5001, Opened: start.Add(time.Millisecond), FirstDown: start.Add(41 * time.Millisecond), Closed: start.Add(400 * time.Millisecond), Down: 2000},
		{Server: "storage", Port: 5002, Opened: start.Add(230 * time.Millisecond), Closed: start.Add(400 * time.Millisecond), Down: 3000},
	}
	var v visit
	tr.count(&v)
	if v.api != 3 || v.bodies != 1 || v.connections != 2 || v.bytes != 5000 {
		t.Errorf("counted %+v", v)
	}
	want := `  #1 gitlab: opened 1, first byte down 41, closed 400, 2.0 kB down
      100-150 200 /api/v4/projects/1/pipelines?ref=main - 0.3 kB
      170-220 302 /api/v4/projects/1/jobs/1/artifacts - 0.0 kB
  #2 storage: opened 230, first byte down -, closed 400, 3.0 kB down
      290-290 416 /artifacts/1/artifacts.zip bytes=9- 0.0 kB
      290-300 206 /artifacts/1/artifacts.zip bytes=0-999 1.0 kB
`
	if got := tr.timeline(start, "storage"); got != want {
		t.Errorf("timeline:\n%s\nwant:\n%s", got, want)
	}
}

func TestFarReport(t *testing.T) {
	t.Parallel()
	walls := func(ms ...time.Duration) []visit {
		var all []visit
		for _, wall := range ms {
			all = append(all, visit{wall: wall * time.Millisecond, api: 2, bodies: 1, connections: 1, bytes: 100_000})
		}
		return all
	}
	near, far := cell{"80kB", farRTTs[0], false, true}, cell{"80kB", farRTTs[1], false, true}
	var r report
	r.far([]cell{near, far}, map[cell][]farRow{
		near: {{farPeers[0], walls(250, 240, 900)}, {farPeers[1], walls(200, 200, 200)}},
		far:  {{farPeers[0], walls(890)}, {farPeers[1], walls(600)}},
	}, 50*time.Millisecond)
	for _, want := range []string{
		"| 80kB | ref | artifetch | 250 (240–900) | 1.25 | 2 | 1 | 1 | 0.10 |",
		"| served by GitLab | 20 ms | ref | 1.25 |  |  |  |",
		"| served by GitLab | 100 ms | ref | 1.48 |  |  |  |",
		"| 80kB | served by GitLab | ref | 8.0 | 5.0 |",
	} {
		if !strings.Contains(r.String(), want+"\n") {
			t.Errorf("the report lacks %s:\n%s", want, r.String())
		}
	}
}

func TestWholeReport(t *testing.T) {
	t.Parallel()
	visits := func(times ...time.Duration) (list []visit) {
		for _, d := range times {
			list = append(list, visit{wall: d * time.Millisecond})
		}
		return list
	}
	var r report
	r.whole([]wholeRow{{network: "loopback", size: "1MB", byRef: true, visits: [2][]visit{visits(30, 10, 20), visits(80, 40, 20)}}})
	want := "| loopback | 1MB | ref | 20 (10–30) | 40 (20–80) | 0.50 |\n"
	if got := r.String(); !strings.HasSuffix(got, want) || !strings.Contains(got, "\n3 runs of each.\n") {
		t.Errorf("%s\nwant the row\n%s", got, want)
	}
}

func TestTrees(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		trees trees
		same  bool
	}{
		"same":    {trees{"1": " a b"}, true},
		"differ":  {trees{"1": " a", "2": " b"}, false},
		"nothing": {trees{"": " a b"}, false},
		"none":    {trees{}, false},
	} {
		if err := tt.trees.same(); (err == nil) != tt.same {
			t.Errorf("%s: %v", name, err)
		}
	}
}
