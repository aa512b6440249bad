package gitlabtest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

const archivePath = "/projects/1/jobs/1001/artifacts"

// oneArchive is a world whose only archive has this content and is public.
func oneArchive(content []byte) *gitlabtest.World {
	return &gitlabtest.World{Projects: []*gitlabtest.Project{{
		ID: 1, Path: "g/p", Visibility: gitlabtest.Public,
		Pipelines: []*gitlabtest.Pipeline{ran(1, &gitlabtest.Job{ID: 1001, Name: "build", Archive: content})},
	}}}
}

func serveOne(t *testing.T, content []byte, o gitlabtest.Options) *gitlabtest.Running {
	t.Helper()
	s := gitlabtest.Start(oneArchive(content), o)
	t.Cleanup(s.Close)
	return s
}

// fetch follows a redirect, as a client without credentials.
func fetch(t *testing.T, s *gitlabtest.Running, header ...string) answer {
	t.Helper()
	got := ask(t, s.APIURL+archivePath, header...)
	if got.status == http.StatusFound {
		return ask(t, got.header.Get("Location"), header...)
	}
	return got
}

// TestRanges requests every kind of range in every mode: Workhorse and S3 support them,
// Azure ignores suffixes, S3 ignores multiple ranges.
func TestRanges(t *testing.T) {
	t.Parallel()
	const whole = "0123456789"
	disk := gitlabtest.Options{Mode: gitlabtest.ModeDisk}
	proxy := gitlabtest.Options{Mode: gitlabtest.ModeProxy}
	redirect := gitlabtest.Options{Mode: gitlabtest.ModeRedirect}
	azure := gitlabtest.Options{Mode: gitlabtest.ModeRedirect, NoSuffixRange: true}
	emulator := gitlabtest.Options{Mode: gitlabtest.ModeRedirect, SuffixStatus: 500}
	deaf := gitlabtest.Options{Mode: gitlabtest.ModeNoRanges}
	mute := gitlabtest.Options{Mode: gitlabtest.ModeNoLength}
	tests := []struct {
		asked   string
		servers []gitlabtest.Options
		status  int
		content string // Content-Range
		body    string
	}{
		{"", []gitlabtest.Options{disk, proxy, redirect, azure, deaf, mute}, 200, "", whole},
		{"bytes=0-0", []gitlabtest.Options{disk, proxy, redirect, azure}, 206, "bytes 0-0/10", "0"},
		{"bytes=3-5", []gitlabtest.Options{disk, proxy, redirect, azure}, 206, "bytes 3-5/10", "345"},
		{"bytes=7-", []gitlabtest.Options{disk, proxy, redirect, azure}, 206, "bytes 7-9/10", "789"},
		{"bytes=7-99", []gitlabtest.Options{disk, proxy, redirect, azure}, 206, "bytes 7-9/10", "789"},
		{"bytes=-3", []gitlabtest.Options{disk, proxy, redirect}, 206, "bytes 7-9/10", "789"},
		{"bytes=-3", []gitlabtest.Options{azure}, 200, "", whole},
		{"bytes=-3", []gitlabtest.Options{emulator}, 500, "", ""},
		{"bytes=7-", []gitlabtest.Options{emulator}, 206, "bytes 7-9/10", "789"},
		{"bytes=10-", []gitlabtest.Options{disk, proxy, redirect, azure}, 416, "bytes */10", ""},
		{"bytes=0-1,3-4", []gitlabtest.Options{proxy, redirect, azure}, 200, "", whole},
		{"bytes=3-5", []gitlabtest.Options{deaf, mute}, 200, "", whole},
		{"bytes=10-", []gitlabtest.Options{deaf, mute}, 200, "", whole},
	}
	for _, tt := range tests {
		for _, o := range tt.servers {
			s := serveOne(t, []byte(whole), o)
			var header []string
			if tt.asked != "" {
				header = []string{"Range", tt.asked}
			}
			got := fetch(t, s, header...)
			body := tt.body == got.body || tt.status == 416
			if got.status != tt.status || !body || got.header.Get("Content-Range") != tt.content {
				t.Errorf("%s %q: %d %q %q", o.Mode, tt.asked, got.status, got.header.Get("Content-Range"), got.body)
			}
			length := strconv.Itoa(len(got.body))
			if o.Mode == gitlabtest.ModeNoLength {
				length = ""
			}
			if got.header.Get("Content-Length") != length {
				t.Errorf("%s %q: Content-Length %q of %d", o.Mode, tt.asked, got.header.Get("Content-Length"), len(got.body))
			}
		}
	}
	several := fetch(t, serveOne(t, []byte(whole), disk), "Range", "bytes=0-1,3-4")
	if several.status != 206 || !strings.HasPrefix(several.header.Get("Content-Type"), "multipart/byteranges") {
		t.Errorf("several ranges from disk: %d %s", several.status, several.header.Get("Content-Type"))
	}
}

// TestIfRange resumes with the archive's ETag, another one, a weak one and a date; and,
// without If-Range, after the archive was replaced.
func TestIfRange(t *testing.T) {
	t.Parallel()
	for _, mode := range []gitlabtest.Mode{gitlabtest.ModeDisk, gitlabtest.ModeProxy, gitlabtest.ModeRedirect} {
		s := serveOne(t, []byte("0123456789"), gitlabtest.Options{
			Mode: mode, Faults: []gitlabtest.Fault{{Kind: "changed", On: "artifacts", Skip: 100}},
		})
		first := fetch(t, s)
		etag := first.header.Get("ETag")
		for value, want := range map[string]int{
			etag: 206, `"another"`: 200, "W/" + etag: 200,
			first.header.Get("Last-Modified"): 206, "Mon, 02 Jan 2006 15:04:05 GMT": 200,
		} {
			if got := fetch(t, s, "Range", "bytes=5-", "If-Range", value); got.status != want {
				t.Errorf("%s, If-Range %s: %d, want %d", mode, value, got.status, want)
			}
		}
		if got := fetch(t, s, "If-None-Match", etag); got.status != http.StatusNotModified {
			t.Errorf("%s, If-None-Match: %d", mode, got.status)
		}
	}
}

// Since 19.0, the ETag from disk is the archive's SHA-256; before, it was a weak
// constant: https://gitlab.com/gitlab-org/gitlab/-/issues/371991
func TestETags(t *testing.T) {
	t.Parallel()
	content := []byte("0123456789")
	sum := sha256.Sum256(content)
	const constant = `W/"12ae32cb1ec02d01eda3581b127c1fee"`
	for version, want := range map[string]string{"": `"` + hex.EncodeToString(sum[:]) + `"`, "18.11": constant, "17.0": constant} {
		s := serveOne(t, content, gitlabtest.Options{Version: version})
		if got := fetch(t, s).header.Get("ETag"); got != want {
			t.Errorf("%q: %s, want %s", version, got, want)
		}
	}
	s := serveOne(t, content, gitlabtest.Options{Version: "18.11"})
	if got := fetch(t, s, "Range", "bytes=5-", "If-Range", constant); got.status != http.StatusOK {
		t.Errorf("If-Range with the constant: %d, want all of it", got.status)
	}
}

// HEAD answers like GET, without a body. The address that it redirects to works only for
// HEAD.
func TestHead(t *testing.T) {
	t.Parallel()
	for _, mode := range []gitlabtest.Mode{gitlabtest.ModeDisk, gitlabtest.ModeProxy, gitlabtest.ModeNoRanges} {
		got := send(t, http.MethodHead, serveOne(t, []byte("0123456789"), gitlabtest.Options{Mode: mode}).APIURL+archivePath)
		if got.status != http.StatusOK || got.header.Get("Content-Length") != "10" {
			t.Errorf("%s: %d %s", mode, got.status, got.header.Get("Content-Length"))
		}
	}
	s := serveOne(t, []byte("0123456789"), gitlabtest.Options{Mode: gitlabtest.ModeRedirect})
	got := send(t, http.MethodHead, s.APIURL+archivePath)
	location := got.header.Get("Location")
	if got.status != http.StatusSeeOther || send(t, http.MethodHead, location).status != 200 || ask(t, location).status != 403 {
		t.Errorf("redirect: %d, then %d for HEAD, %d for GET", got.status, send(t, http.MethodHead, location).status, ask(t, location).status)
	}
}

// What may redirect, and what never does.
func TestWhatRedirects(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{Mode: gitlabtest.ModeRedirect})
	for path, want := range map[string]int{
		"projects/1/jobs/1001/artifacts":                         302,
		"projects/1/jobs/artifacts/main/download?job=build":      302,
		"projects/1/jobs/1001/artifacts/job.txt":                 200,
		"projects/1/jobs/artifacts/main/raw/job.txt?job=build":   200,
		"jobs/1001/artifacts":                                    200,
		"jobs/1001/artifacts?direct_download=false":              200,
		"jobs/1001/artifacts?direct_download=true":               302,
		"projects/1/jobs/artifacts/main/raw/missing?job=build":   404,
		"projects/1/jobs/artifacts/main/download?job=old-only":   404,
		"projects/4/jobs/artifacts/main/download?job=build&a=%2": 302,
	} {
		got := ask(t, s.APIURL+"/"+path, credentials["job"]...)
		if got.status != want || (want == 302) != strings.HasPrefix(got.header.Get("Location"), s.StorageURL+"/") {
			t.Errorf("%s: %d to %q, want %d", path, got.status, got.header.Get("Location"), want)
		}
	}
}

// A single file: no ranges, a length, and errors that aren't JSON
// (workhorse/internal/artifacts/entry.go).
func TestSingleFile(t *testing.T) {
	t.Parallel()
	content := gitlabtest.Zip(
		gitlabtest.File{Name: "page.html", Content: "<p>first</p>"},
		gitlabtest.File{Name: "page.html", Content: "second"},
		gitlabtest.File{Name: "bin/tool", Content: "0123456789"},
	)
	s := serveOne(t, content, gitlabtest.Options{})
	got := ask(t, s.APIURL+archivePath+"/page.html", "Range", "bytes=3-5")
	if got.status != 200 || got.body != "<p>first</p>" || got.header.Get("Content-Length") != "12" || got.header.Get("Accept-Ranges") != "" {
		t.Errorf("%d %q %v", got.status, got.body, got.header)
	}
	if kind := got.header.Get("Content-Type"); !strings.HasPrefix(kind, "text/html") {
		t.Errorf("by extension: %s", kind)
	}
	got = ask(t, s.APIURL+archivePath+"/bin/tool")
	if got.header.Get("Content-Type") != "application/octet-stream" || got.header.Get("Content-Disposition") != `attachment; filename="tool"` {
		t.Errorf("without one: %v", got.header)
	}
	got = ask(t, s.APIURL+archivePath+"/tool")
	if got.status != 404 || got.body != "404 page not found\n" || !strings.HasPrefix(got.header.Get("Content-Type"), "text/plain") {
		t.Errorf("missing: %d %q", got.status, got.body)
	}
	broken := serveOne(t, []byte("no archive"), gitlabtest.Options{})
	if got := ask(t, broken.APIURL+archivePath+"/x"); got.status != 500 || strings.HasPrefix(got.body, "{") {
		t.Errorf("no archive: %d %q", got.status, got.body)
	}
}

// An archive on disk is served like one in memory. If it is lost, the error depends on
// what serves it.
func TestArchiveFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "artifacts.zip")
	content := bytes.Repeat([]byte("0123456789"), 1000)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, lost := range map[gitlabtest.Mode]int{gitlabtest.ModeDisk: 500, gitlabtest.ModeProxy: 404, gitlabtest.ModeRedirect: 404, gitlabtest.ModeNoLength: 500} {
		world := oneArchive(nil)
		job := world.Projects[0].Pipelines[0].Jobs[0]
		job.ArchiveFile = file
		s := gitlabtest.Start(world, gitlabtest.Options{Mode: mode})
		t.Cleanup(s.Close)
		if got := fetch(t, s); got.body != string(content) {
			t.Errorf("%s: %d, %d bytes", mode, got.status, len(got.body))
		}
		job.ArchiveFile += ".lost"
		if got := fetch(t, s); got.status != lost {
			t.Errorf("%s, lost: %d, want %d", mode, got.status, lost)
		}
	}
}
