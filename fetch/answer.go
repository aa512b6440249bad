package fetch

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// Every answer is judged here. The request decides which answers are acceptable; no other
// code in this package looks at a status:
//
//	request for     200   206          304        416     400, 500, 501
//	everything      all   error        error      error   error
//	a range         all   part or odd  error      beyond  error
//	the last bytes  all   part or odd  error      beyond  odd
//	a change        all   error        unchanged  error   error
//
// "odd" means that this server can't answer such a range request: the Content-Range
// doesn't match the request, or the server doesn't support suffix ranges. If object
// storage answers 400, 401, 403, 404 or 410, its address has "expired". Anything else is
// an error: the one from [Options.Check], or an [*AnswerError] if Check returns nil.

// question is what a request asks for.
type question struct {
	kind     kind
	off, end int64  // of a span; for a suffix, end is the number of bytes
	etag     string // of a span: send the whole file if its ETag differs; of a change: send nothing if it's the same
}

// toTheEnd is the end of a span that extends to the end of the file.
const toTheEnd = math.MaxInt64

// everything requests the whole file from a server that may support ranges.
var everything = question{kind: askSpan, end: toTheEnd}

// narrowed returns the question that was finally sent: a request for everything may have
// been given an end while it was redirected (see early).
func (q question) narrowed(h http.Header) question {
	var last int64
	if n, _ := fmt.Sscanf(h.Get("Range"), "bytes=0-%d", &last); q == everything && n == 1 {
		q.end = last + 1
	}
	return q
}

type kind int

const (
	askAll    kind = iota
	askSpan        // the bytes from off to end, or to the end of the file
	askSuffix      // the last bytes
	askChange      // the whole file, unless it still has the ETag
)

func (q question) String() string {
	switch {
	case q.kind == askSpan && q.end == toTheEnd:
		return fmt.Sprintf("bytes=%d-", q.off)
	case q.kind == askSpan:
		return fmt.Sprintf("bytes=%d-%d", q.off, q.end-1)
	case q.kind == askSuffix:
		return fmt.Sprintf("bytes=-%d", q.end)
	}
	return ""
}

// ask sets the request headers for the question.
func (q question) ask(h http.Header) {
	// The bytes must arrive as they are stored: ranges count them.
	h.Set("Accept-Encoding", "identity")
	if q.kind == askSpan || q.kind == askSuffix {
		h.Set("Range", q.String())
	}
	switch {
	case q.etag == "":
	case q.kind == askSpan:
		h.Set("If-Range", q.etag)
	case q.kind == askChange:
		h.Set("If-None-Match", q.etag)
	}
}

// outcome says how an answer relates to its question.
type outcome int

const (
	gotAll       outcome = iota // the body is the whole file
	gotPart                     // the body is the range of Content-Range
	gotUnchanged                // the file still has the ETag
	gotBeyond                   // the file ends before the range
	gotOdd                      // the server can't answer this kind of range
	gotExpired                  // the pre-signed address is no longer valid
)

// answer is an acceptable answer. Its body is open only for gotAll and gotPart.
type answer struct {
	*http.Response
	outcome outcome
	part    contentRange
	why     error // for gotOdd and gotExpired
}

// judge decides whether an answer is acceptable. signed means that a pre-signed address
// was requested.
func (q question) judge(resp *http.Response, signed bool, check func(*http.Response) error) (answer, error) {
	a, err := q.verdict(resp, check)
	if err != nil && signed && expired(resp) {
		a, err = answer{Response: resp, outcome: gotExpired, why: err}, nil
	}
	if err != nil || a.outcome != gotAll && a.outcome != gotPart {
		_ = resp.Body.Close() // its content doesn't matter
	}
	return a, err
}

func (q question) verdict(resp *http.Response, check func(*http.Response) error) (answer, error) {
	a := answer{Response: resp}
	ranged := q.kind == askSpan || q.kind == askSuffix
	switch resp.StatusCode {
	case http.StatusOK:
		return q.whole(a)
	case http.StatusPartialContent:
		if ranged {
			return q.partial(a), nil
		}
	case http.StatusNotModified:
		if q.kind == askChange {
			a.outcome = gotUnchanged
			return a, nil
		}
	case http.StatusRequestedRangeNotSatisfiable:
		if ranged {
			a.outcome = gotBeyond
			return a, nil
		}
	case http.StatusBadRequest, http.StatusInternalServerError, http.StatusNotImplemented:
		// Azure's storage doesn't support suffix ranges; its emulator answers 500.
		if q.kind == askSuffix {
			a.outcome, a.why = gotOdd, refused(resp, check)
			return a, nil
		}
	}
	return a, refused(resp, check)
}

// expired reports whether the answer looks as if a pre-signed address has expired: S3 and
// Azure answer 403, Google Cloud Storage 400 or 403.
func expired(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		return true
	}
	return false
}

// refused makes the error for an answer that is never acceptable.
func refused(resp *http.Response, check func(*http.Response) error) error {
	if err := check(resp); err != nil {
		return err
	}
	status := strings.TrimSpace(strconv.Itoa(resp.StatusCode) + " " + http.StatusText(resp.StatusCode))
	if asked := resp.Request.Header.Get("Range"); asked != "" {
		return answered(resp, "answers %s to a request for %s", status, asked)
	}
	return answered(resp, "answers %s to a request for a file", status)
}

func (q question) whole(a answer) (answer, error) {
	if a.outcome = gotAll; !encoded(a.Response) || q.kind == askChange { // a change's body isn't read
		return a, nil
	}
	err := answered(a.Response, "insists on Content-Encoding %q", a.Header.Get("Content-Encoding"))
	if q.kind == askAll {
		return a, err
	}
	a.outcome, a.why = gotOdd, err
	return a, nil
}

func (q question) partial(a answer) answer {
	a.outcome = gotPart
	if a.part, a.why = parseContentRange(a.Response); a.why == nil && (!q.fits(a.part) || encoded(a.Response)) {
		a.why = answered(a.Response, "was asked for %v and sent %q", q, a.Header.Get("Content-Range"))
	}
	if a.why != nil {
		a.outcome = gotOdd
	}
	return a
}

// fits reports whether c is the requested range.
func (q question) fits(c contentRange) bool {
	if q.kind == askSuffix {
		return c.last == c.total-1 && c.first == max(0, c.total-q.end)
	}
	return c.first == q.off && c.last == min(q.end, c.total)-1
}

// contentRange is a parsed Content-Range (RFC 9110 §14.4).
type contentRange struct{ first, last, total int64 }

func parseContentRange(resp *http.Response) (contentRange, error) {
	header := resp.Header.Get("Content-Range")
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "multipart/byteranges") {
		return contentRange{}, answered(resp, "sent several ranges in answer to one")
	}
	var c contentRange
	var rest string
	n, _ := fmt.Sscanf(header, "bytes %d-%d/%d%s", &c.first, &c.last, &c.total, &rest)
	if n != 3 || c.first < 0 || c.last < c.first || c.total <= c.last {
		return contentRange{}, answered(resp, "sent the Content-Range %q", header)
	}
	if resp.ContentLength >= 0 && resp.ContentLength != c.last+1-c.first {
		return contentRange{}, answered(resp, "sent %d bytes as the range %q", resp.ContentLength, header)
	}
	return c, nil
}

// encoded reports whether the body is compressed for transport, so its bytes aren't the
// object's.
func encoded(resp *http.Response) bool {
	encoding := resp.Header.Get("Content-Encoding")
	return encoding != "" && !strings.EqualFold(encoding, "identity")
}
