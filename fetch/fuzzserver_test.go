package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"
)

// instruction says how to answer one request. The zero value answers it honestly.
type instruction struct {
	status, header, length, place, body, cut uint8
}

const lenInstruction = 6 // bytes

// script decodes the fuzzer's input.
func script(data []byte) []instruction {
	var all []instruction
	for ; len(data) >= lenInstruction && len(all) < 40; data = data[lenInstruction:] {
		all = append(all, instruction{data[0], data[1], data[2], data[3], data[4], data[5]})
	}
	return all
}

// liar is GitLab with its storage, as a script defines it. It mostly tells the truth
// about an object; it records lies that nothing else reveals.
type liar struct {
	versions [2][]byte // of the archive
	digest   string    // of the first
	script   []instruction
	redirect bool // to storage
	listed   bool // the client knows the size, so a body may be endless
	changeAt int  // the first request that gets the second version; 0 means none

	mu       sync.Mutex
	lanes    map[string]int
	requests int
	lied     bool
}

// next returns the instruction for a request. Each kind of request has its own sequence,
// so the order of concurrent requests doesn't matter.
func (l *liar) next(r *http.Request) (i instruction, version int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lane := r.URL.Host + r.Header.Get("If-None-Match")
	switch asked := r.Header.Get("Range"); {
	case asked == "", strings.HasPrefix(asked, "bytes=-"), strings.HasPrefix(asked, "bytes=0-"):
		lane += asked
	default:
		lane += "other"
	}
	n := l.lanes[lane]
	l.lanes[lane]++
	l.requests++
	if len(l.script) > 0 {
		i = l.script[(len(lane)+n)%len(l.script)]
	}
	if l.changeAt > 0 && l.requests >= l.changeAt {
		version = 1
	}
	return i, version
}

func (l *liar) lie() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lied = true
}

// statusCodes has codes with a meaning somewhere, and some without.
var statusCodes = []int{
	0, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 299, 300, 301, 302, 303, 304, 305, 306, 307, 308, 400, 401, 403, 404, 405, 407, 408,
	409, 410, 412, 413, 416, 418, 421, 425, 429, 451, 500, 501, 502, 503, 504, 507, 511, 599, 101, 100, 999, -1,
}

// RoundTrip implements [http.RoundTripper].
func (l *liar) RoundTrip(r *http.Request) (*http.Response, error) {
	i, version := l.next(r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	switch i.status {
	case 255:
		return nil, &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	case 254:
		return nil, io.EOF
	case 253:
		<-r.Context().Done()
		return nil, r.Context().Err()
	case 252:
		return nil, errors.New("malformed HTTP response")
	}
	resp, content := l.honest(r, version)
	if status := statusCodes[int(i.status)%len(statusCodes)]; status != 0 {
		resp.StatusCode = status
	}
	switch resp.StatusCode { // whatever the request
	case http.StatusPartialContent:
	case http.StatusOK:
		content = l.versions[version]
		resp.ContentLength = int64(len(content))
	default:
		content = []byte("<?xml version=\"1.0\"?><Error><Code>Code</Code><Message>some words</Message></Error>")
		resp.ContentLength = int64(len(content))
	}
	l.headers(resp, i, version)
	l.place(resp, i)
	l.content(resp, i, content, version)
	return resp, nil
}

// honest answers as a good server does.
func (l *liar) honest(r *http.Request, version int) (resp *http.Response, content []byte) {
	resp = &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r}
	data := l.versions[version]
	if l.redirect && r.URL.Host == "gitlab" {
		resp.StatusCode = http.StatusFound
		resp.Header.Set("Location", fmt.Sprintf("https://storage/object?generation=%d", l.requests))
		data = nil
	}
	etag := fmt.Sprintf(`"v%d"`, version)
	if resp.Header.Set("ETag", etag); r.Header.Get("If-None-Match") == etag {
		resp.StatusCode, data = http.StatusNotModified, nil
	}
	first, end := 0, len(data)
	switch n, _ := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &end); {
	case data == nil || n == 0 || r.Header.Get("If-Range") != "" && r.Header.Get("If-Range") != etag:
		first, end = 0, len(data)
	case n == 1 && first < 0:
		first, end = max(0, len(data)+first), len(data)
		resp.StatusCode = http.StatusPartialContent
	default:
		end = min(end+1, len(data))
		resp.StatusCode = http.StatusPartialContent
	}
	if resp.StatusCode == http.StatusPartialContent && first >= end {
		resp.StatusCode, first, end = http.StatusRequestedRangeNotSatisfiable, 0, 0
	}
	if resp.StatusCode == http.StatusPartialContent {
		resp.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, end-1, len(data)))
	}
	resp.ContentLength = int64(end - first)
	return resp, data[first:end]
}

// headers changes the headers that identify the object and the part.
func (l *liar) headers(resp *http.Response, i instruction, version int) {
	h := resp.Header
	var first, last, total int
	_, _ = fmt.Sscanf(h.Get("Content-Range"), "bytes %d-%d/%d", &first, &last, &total) // zeros if it is missing
	switch i.header % 16 {
	case 1:
		h.Del("Content-Range")
	case 2:
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first+1, last+1, total+1))
	case 3:
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, total-1))
		l.lie() // a shorter file
	case 4:
		h.Set("Content-Range", "bytes */10")
	case 5:
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/9223372036854775807", first, last))
		l.lie()
	case 6:
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/99999999999999999999", first, last))
	case 7:
		h.Set("Content-Type", "multipart/byteranges; boundary=x")
	case 8:
		h.Set("Content-Encoding", "gzip")
	case 9:
		h.Set("ETag", `"v1"`)
	case 10:
		h.Set("ETag", `W/"v0"`)
	case 11:
		h.Del("ETag")
	case 12:
		h.Set("ETag", `"12ae32cb1ec02d01eda3581b127c1fee"`)
	case 13:
		h.Set("Last-Modified", fmt.Sprintf("Mon, 0%d Jan 2024 00:00:00 GMT", 1+i.header%7))
	case 14:
		h.Set("Accept-Ranges", "none")
	}
	if etag := h.Get("ETag"); etag != fmt.Sprintf(`"v%d"`, version) && strings.HasPrefix(etag, `"v`) {
		l.lie() // one version instead of the other
	}
}

// place changes the headers that say where to go, and when.
func (*liar) place(resp *http.Response, i instruction) {
	locations := []string{"", "https://gitlab/api/v4/again", "https://storage/a", "https://other/b", "/relative", "http://storage/plain", "::", "https://[/", "?"}
	if at := locations[int(i.place%16)%len(locations)]; at != "" {
		resp.Header.Set("Location", at)
	}
	waits := []string{"", "0", "1", "20", "-1", "1m0s", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT", "Sat, 01 Jan 2000 00:00:30 GMT", "2562047h47m16.854775807s", "soon"}
	if wait := waits[int(i.place/16)%len(waits)]; wait != "" {
		resp.Header.Set("Retry-After", wait)
		resp.Header.Set("RateLimit-ResetTime", wait)
		resp.Header.Set("RateLimit-Reset", wait)
	}
}

// content changes the body and its length headers. As in net/http, a body has no more
// bytes than its Content-Length, and fewer are an unexpected EOF.
func (l *liar) content(resp *http.Response, i instruction, content []byte, version int) {
	b := &fuzzBody{ctx: resp.Request.Context(), rest: content, end: io.EOF, closed: make(chan struct{})}
	cuts := []int{0, 1, 10, 1000, 64<<10 - 1, 64 << 10, 100_000, 1 << 20}
	cut := min(cuts[int(i.cut)%len(cuts)], len(content))
	switch i.body % 12 {
	case 1, 2:
		b.rest, b.end = content[:cut], io.ErrUnexpectedEOF
	case 3:
		b.rest, b.end = content[:cut], &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	case 4:
		b.rest, b.end = content[:cut], nil // silence
	case 5:
		b.rest, b.slow = content[:cut], true
		b.end = io.ErrUnexpectedEOF
	case 6:
		b.rest = []byte("<!DOCTYPE html><title>Sign in</title>")
		resp.ContentLength = int64(len(b.rest))
		l.lie()
	case 7:
		b.rest = append(bytes.Clone(content), make([]byte, 5000)...)
		l.lie()
	case 8:
		b.rest = bytes.Repeat([]byte{'x'}, len(content))
		l.lie()
	case 9:
		b.endless = l.listed
		b.slow = !l.listed
		l.lie()
	case 10:
		b.rest = l.versions[1-version][:min(len(content), len(l.versions[1-version]))]
		l.lie()
	}
	switch i.length % 8 {
	case 1, 2: // in chunks
		resp.ContentLength = -1
	case 3: // until the connection ends
		if resp.ContentLength = -1; b.end != nil && b.end != io.EOF { //nolint:errorlint // it is this one
			b.end = io.EOF
			l.lie()
		}
	case 4:
		resp.ContentLength++
	case 5:
		resp.ContentLength = max(0, resp.ContentLength-1)
		l.lie() // a shorter file
	case 6:
		resp.ContentLength = 1 << 60
	}
	if b.left = resp.ContentLength; b.left < 0 {
		b.left = 1 << 62
		b.ends = true
	}
	resp.Body = b
}

// fuzzBody is a body of an answer.
type fuzzBody struct {
	ctx     context.Context // of the request that it answers
	rest    []byte
	end     error // nil means silence
	slow    bool  // a byte now and then, just in time
	endless bool
	left    int64 // bytes of its Content-Length
	ends    bool  // no Content-Length: io.EOF is an end

	once   sync.Once
	closed chan struct{}
}

// Read implements [io.Reader].
func (b *fuzzBody) Read(p []byte) (int, error) {
	switch {
	case b.ctx.Err() != nil:
		return 0, b.ctx.Err()
	case b.left == 0:
		return 0, io.EOF
	case b.slow:
		p = p[:min(1, len(p))]
		if err := b.wait(time.After(9 * time.Second)); err != nil {
			return 0, err
		}
	}
	n := copy(p[:min(int64(len(p)), b.left)], b.rest)
	if b.rest = b.rest[n:]; n == 0 && b.endless {
		n = int(min(int64(len(p)), b.left))
	}
	b.left -= int64(n)
	switch {
	case n > 0:
		return n, nil
	case b.end == nil:
		return 0, b.wait(nil)
	case b.end == io.EOF && !b.ends: //nolint:errorlint // it is this one
		return 0, io.ErrUnexpectedEOF
	}
	return 0, b.end
}

func (b *fuzzBody) wait(until <-chan time.Time) error {
	select {
	case <-b.ctx.Done():
		return b.ctx.Err()
	case <-b.closed:
		return errors.New("read on closed body")
	case <-until:
		return nil
	}
}

// Close implements [io.Closer].
func (b *fuzzBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}
