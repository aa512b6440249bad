package gitlabtest_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// TestSigned checks pre-signed URLs: valid for one method and one object until they
// expire, and only without other credentials.
func TestSigned(t *testing.T) {
	t.Parallel()
	clock := time.Now()
	s := serveOne(t, []byte("0123456789"), gitlabtest.Options{
		Mode: gitlabtest.ModeRedirect, URLExpiry: time.Minute, Now: func() time.Time { return clock },
	})
	location := ask(t, s.APIURL+archivePath).header.Get("Location")
	plain, _, _ := strings.Cut(location, "?")
	later := func(name, value string) string {
		u, err := url.Parse(location)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set(name, value)
		u.RawQuery = q.Encode()
		return u.String()
	}
	tests := []struct {
		name, method, address string
		header                []string
		after                 time.Duration
		status                int
		code                  string
	}{
		{"good", "GET", location, nil, 0, 200, ""},
		{"again", "GET", location, nil, time.Minute, 200, ""},
		{"expired", "GET", location, nil, time.Minute + time.Millisecond, 403, "AccessDenied"},
		{"expired range", "GET", location, []string{"Range", "bytes=5-"}, time.Hour, 403, "AccessDenied"},
		{"HEAD", "HEAD", location, nil, 0, 403, ""},
		{"PUT", "PUT", location, nil, 0, 403, ""},
		{"unsigned", "GET", plain, nil, 0, 403, "SignatureDoesNotMatch"},
		{"expiry changed", "GET", later("X-Amz-Expires", strconv.FormatInt(clock.Add(time.Hour).UnixMilli(), 10)), nil, 0, 403, "SignatureDoesNotMatch"},
		{"object changed", "GET", strings.Replace(location, "1001", "1002", 1), nil, 0, 403, "SignatureDoesNotMatch"},
		{"job token", "GET", location, []string{"JOB-TOKEN", "x"}, 0, 200, ""},
		{"private token", "GET", location, []string{"PRIVATE-TOKEN", "x"}, 0, 200, ""},
		{"bearer", "GET", location, []string{"Authorization", "Bearer x"}, 0, 400, "InvalidArgument"},
		{"basic", "GET", location, []string{"Authorization", "Basic x"}, 0, 400, "InvalidArgument"},
		{"parameter", "GET", later("job_token", "x"), nil, 0, 403, "SignatureDoesNotMatch"},
	}
	base, leaks := clock, 5 // in the last five
	for _, tt := range tests {
		clock = base.Add(tt.after)
		if tt.method != "GET" {
			if got := send(t, tt.method, tt.address, tt.header...); got.status != tt.status {
				t.Errorf("%s: %d, want %d", tt.name, got.status, tt.status)
			}
			continue
		}
		got := ask(t, tt.address, tt.header...)
		if got.status != tt.status || tt.code != "" && !strings.Contains(got.body, "<Code>"+tt.code+"</Code>") {
			t.Errorf("%s: %d %s, want %d %s", tt.name, got.status, got.body, tt.status, tt.code)
		}
	}
	for _, r := range s.Requests() {
		if r.LeakedToken {
			leaks--
			if r.Host != "storage" {
				t.Errorf("a leak to %s", r.Host)
			}
		}
	}
	if leaks != 0 {
		t.Errorf("%d leaks more than were noted", leaks)
	}
}

// If an object has been removed in the meantime, storage answers 404.
func TestObjectGone(t *testing.T) {
	t.Parallel()
	world := oneArchive([]byte("0123456789"))
	s := gitlabtest.Start(world, gitlabtest.Options{Mode: gitlabtest.ModeRedirect})
	t.Cleanup(s.Close)
	location := ask(t, s.APIURL+archivePath).header.Get("Location")
	world.Projects[0].Pipelines[0].Jobs[0].Archive = nil
	if got := ask(t, location); got.status != 404 || !strings.Contains(got.body, "<Code>NoSuchKey</Code>") {
		t.Errorf("%d %s", got.status, got.body)
	}
}
