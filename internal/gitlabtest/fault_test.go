package gitlabtest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// tried is the result of one request on its own connection.
type tried struct {
	status int
	body   string
	length int64 // Content-Length
	err    error // from the request or the body
}

func try(ctx context.Context, t *testing.T, address string) tried {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return tried{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return tried{resp.StatusCode, string(body), resp.ContentLength, err}
}

// TestConnectionFaults checks faults below HTTP: how many bytes arrive, and what the
// client sees.
func TestConnectionFaults(t *testing.T) {
	t.Parallel()
	content := []byte(strings.Repeat("0123456789", 100_000))
	tests := []struct {
		kind  string
		after int64
		body  int // bytes; -1 means no answer
		is    error
	}{
		{"short-body", 0, 0, io.ErrUnexpectedEOF},
		{"short-body", 1, 1, io.ErrUnexpectedEOF},
		{"short-body", 654_321, 654_321, io.ErrUnexpectedEOF},
		{"stall-body", 1000, 1000, context.DeadlineExceeded},
		{"stall", 0, -1, context.DeadlineExceeded},
	}
	for mode, on := range map[gitlabtest.Mode]string{gitlabtest.ModeDisk: "gitlab", gitlabtest.ModeRedirect: "storage"} {
		for _, tt := range tests {
			t.Run(fmt.Sprintf("%s %s %d", mode, tt.kind, tt.after), func(t *testing.T) {
				t.Parallel()
				s := serveOne(t, content, gitlabtest.Options{Mode: mode, Faults: []gitlabtest.Fault{{Kind: tt.kind, On: on, After: tt.after, Times: 1}}})
				ctx := t.Context()
				if strings.HasPrefix(tt.kind, "stall") {
					limited, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
					defer cancel()
					ctx = limited
				}
				got := try(ctx, t, s.APIURL+archivePath)
				if !errors.Is(got.err, tt.is) {
					t.Errorf("%v, want %v", got.err, tt.is)
				}
				if tt.body >= 0 && (len(got.body) != tt.body || got.length != int64(len(content))) {
					t.Errorf("%d bytes of %d, want %d", len(got.body), got.length, tt.body)
				}
				if got := try(t.Context(), t, s.APIURL+archivePath); got.body != string(content) {
					t.Errorf("after it: %d, %d bytes, %v", got.status, len(got.body), got.err)
				}
			})
		}
	}
}

// wasReset reports whether err is a reset; Windows has its own number for it.
func wasReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || err != nil && runtime.GOOS == "windows"
}

// A reset comes without an answer, or after at most that much of the body: bytes in
// transit are lost.
func TestReset(t *testing.T) {
	t.Parallel()
	s := serveOne(t, []byte(strings.Repeat("0123456789", 1000)), gitlabtest.Options{Faults: []gitlabtest.Fault{
		{Kind: "reset", Times: 1}, {Kind: "reset-body", After: 5000, Times: 1},
	}})
	if got := try(t.Context(), t, s.APIURL+archivePath); got.status != 0 || !wasReset(got.err) {
		t.Errorf("reset: %d %v", got.status, got.err)
	}
	if r := s.Requests()[0]; r.Status != 0 || r.BytesSent != 0 {
		t.Errorf("noted as %d with %d bytes", r.Status, r.BytesSent)
	}
	s.ResetRequests()
	if got := try(t.Context(), t, s.APIURL+archivePath); !wasReset(got.err) || len(got.body) > 5000 {
		t.Errorf("reset-body: %d bytes, %v", len(got.body), got.err)
	}
	if all := s.Requests(); len(all) != 1 || all[0].BytesSent != 5000 {
		t.Errorf("noted as %+v", all)
	}
}

// A body that is shorter than the fault's position arrives complete.
func TestBreakBehindTheEnd(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"short-body", "reset-body", "stall-body"} {
		s := serveOne(t, []byte("0123456789"), gitlabtest.Options{Faults: []gitlabtest.Fault{{Kind: kind, After: 11}}})
		if got := ask(t, s.APIURL+archivePath); got.body != "0123456789" {
			t.Errorf("%s: %q", kind, got.body)
		}
	}
}

// The three shapes of 429.
func TestThrottled(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := []struct {
		fault       gitlabtest.Fault
		kind, after string
		reset       int64
	}{
		{gitlabtest.Fault{Kind: "429-rack"}, "text/plain", "1", now.Unix() + 1},
		{gitlabtest.Fault{Kind: "429-rack", RetryAfter: "60"}, "text/plain", "60", now.Unix() + 60},
		{gitlabtest.Fault{Kind: "429-rack", RetryAfter: "soon"}, "text/plain", "soon", now.Unix() + 1},
		{gitlabtest.Fault{Kind: "429-app", RetryAfter: "60"}, "application/json", "", 0},
		{gitlabtest.Fault{Kind: "429-workhorse"}, "text/plain", "1s", 0},
		{gitlabtest.Fault{Kind: "429-workhorse", RetryAfter: "1m0s"}, "text/plain", "1m0s", 0},
	}
	for _, tt := range tests {
		s := start(t, gitlabtest.Options{Now: func() time.Time { return now }, Faults: []gitlabtest.Fault{tt.fault}})
		got := ask(t, s.APIURL+archivePath)
		h := got.header
		if got.status != 429 || !strings.HasPrefix(h.Get("Content-Type"), tt.kind) || h.Get("Retry-After") != tt.after {
			t.Errorf("%+v: %d %v", tt.fault, got.status, h)
		}
		reset, date := "", ""
		if tt.reset != 0 {
			reset, date = strconv.FormatInt(tt.reset, 10), time.Unix(tt.reset, 0).UTC().Format(http.TimeFormat)
		}
		if h.Get("RateLimit-Reset") != reset || h.Get("RateLimit-ResetTime") != date {
			t.Errorf("%+v: until %q, %q", tt.fault, h.Get("RateLimit-Reset"), h.Get("RateLimit-ResetTime"))
		}
	}
}

// A token that dies between two requests.
func TestTokenDies(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{Faults: []gitlabtest.Fault{{Kind: "401", Skip: 1}}})
	first, second := ask(t, s.APIURL+archivePath, credentials["job"]...), ask(t, s.APIURL+archivePath, credentials["job"]...)
	if first.status != 200 || second.status != 401 || second.body != `{"message":"401 Unauthorized"}` {
		t.Errorf("%d, then %d %s", first.status, second.status, second.body)
	}
}

// TestChanged replaces every archive between two parts of a download: length and ETag
// change, so If-Range gets the whole file. The change is permanent.
func TestChanged(t *testing.T) {
	t.Parallel()
	for _, mode := range []gitlabtest.Mode{gitlabtest.ModeDisk, gitlabtest.ModeProxy, gitlabtest.ModeRedirect} {
		on := "gitlab"
		if mode == gitlabtest.ModeRedirect {
			on = "storage"
		}
		s := serveOne(t, []byte("0123456789"), gitlabtest.Options{Mode: mode, Faults: []gitlabtest.Fault{{Kind: "changed", On: on, Skip: 1, Times: 1}}})
		first := fetch(t, s, "Range", "bytes=0-4")
		etag := first.header.Get("ETag")
		for range 2 {
			second := fetch(t, s, "Range", "bytes=5-", "If-Range", etag)
			if first.status != 206 || second.status != 200 || second.header.Get("ETag") == etag || len(second.body) < 100_000 {
				t.Errorf("%s: %d, then %d, %d bytes, ETag %s and %s", mode, first.status, second.status, len(second.body), etag, second.header.Get("ETag"))
			}
		}
		part := fetch(t, s, "Range", "bytes=5-9")
		if part.status != 206 || strings.HasSuffix(part.header.Get("Content-Range"), "/10") {
			t.Errorf("%s: without If-Range %d %s", mode, part.status, part.header.Get("Content-Range"))
		}
		if got := ask(t, s.APIURL+archivePath+"/changed.txt"); got.status != 200 {
			t.Errorf("%s: a file of it: %d", mode, got.status)
		}
	}
}

// TestFaultSchedule checks where and when faults occur; the first that is due wins.
func TestFaultSchedule(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		faults []gitlabtest.Fault
		want   string // statuses of archive and list in turn, following redirects to storage
	}{
		{"always", []gitlabtest.Fault{{Kind: "500"}}, "500 500 500 500 500 500"},
		{"once", []gitlabtest.Fault{{Kind: "500", Times: 1}}, "500 200 200 200 200 200"},
		{"GitLab", []gitlabtest.Fault{{Kind: "502", On: "gitlab", Skip: 1, Times: 2}}, "200 502 502 200 200 200"},
		{"storage", []gitlabtest.Fault{{Kind: "503", On: "storage", Skip: 1, Times: 1}}, "200 200 503 200 200 200"},
		{"by path", []gitlabtest.Fault{{Kind: "504", On: "pipelines", Times: 2}}, "200 504 200 504 200 200"},
		{"one after another", []gitlabtest.Fault{{Kind: "500", Times: 1}, {Kind: "502", Times: 1}}, "500 502 200 200 200 200"},
		{"first wins, the other waits", []gitlabtest.Fault{{Kind: "504", On: "pipelines"}, {Kind: "502", On: "gitlab", Skip: 2}}, "200 504 200 504 502 504"},
		{"no such", []gitlabtest.Fault{{Kind: "nonsense", Times: 1}}, "501 200 200 200 200 200"},
	}
	for _, tt := range tests {
		s := serveOne(t, []byte("0123456789"), gitlabtest.Options{Mode: gitlabtest.ModeRedirect, Faults: tt.faults})
		var got []string
		for i := range 6 {
			answered := answer{}
			if i%2 == 0 {
				answered = fetch(t, s)
			} else {
				answered = ask(t, s.APIURL+"/projects/1/pipelines/1/jobs")
			}
			got = append(got, strconv.Itoa(answered.status))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, got, tt.want)
		}
	}
}

// Requests lists requests in order, with their headers.
func TestRequests(t *testing.T) {
	t.Parallel()
	s := serveOne(t, []byte("0123456789"), gitlabtest.Options{Mode: gitlabtest.ModeRedirect})
	fetch(t, s, "Range", "bytes=2-4")
	all := s.Requests()
	if len(all) != 2 {
		t.Fatalf("%d requests", len(all))
	}
	gitlab, storage := all[0], all[1]
	if gitlab.Host != "gitlab" || gitlab.Status != 302 || gitlab.Path != "/api/v4"+archivePath || gitlab.LeakedToken {
		t.Errorf("GitLab: %+v", gitlab)
	}
	if storage.Host != "storage" || storage.Status != 206 || storage.BytesSent != 3 || storage.Range != "bytes=2-4" || !strings.Contains(storage.Query, "X-Amz-Signature=") {
		t.Errorf("storage: %+v", storage)
	}
	s.ResetRequests()
	if len(s.Requests()) != 0 {
		t.Error("they are still there")
	}
}
