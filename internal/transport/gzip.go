package transport

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// GitLab's nginx compresses JSON of more than 10 kB. A page of jobs then arrives with the
// first packets of a connection, without waiting for acknowledgements.

// acceptGzip requests a compressed answer, unless the request has its own encoding.
func acceptGzip(req *http.Request) *http.Request {
	if req.Header.Get("Accept-Encoding") != "" || req.Header.Get("Range") != "" {
		return req
	}
	req = req.Clone(req.Context()) // a RoundTripper must not modify its request
	req.Header.Set("Accept-Encoding", "gzip")
	return req
}

// unpack decompresses the body of a compressed answer while it is read.
func unpack(resp *http.Response) {
	if !strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		return
	}
	resp.Header.Del("Content-Encoding")
	resp.Header.Del("Content-Length")
	resp.ContentLength, resp.Uncompressed = -1, true
	resp.Body = &unpacked{ReadCloser: resp.Body}
}

// unpacked is the decompressed body.
type unpacked struct {
	io.ReadCloser // compressed
	gzip          *gzip.Reader
}

// Read implements [io.Reader].
func (u *unpacked) Read(p []byte) (n int, err error) {
	if u.gzip == nil {
		u.gzip, err = gzip.NewReader(u.ReadCloser)
	}
	if err == nil {
		n, err = u.gzip.Read(p)
	}
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) {
		err = fmt.Errorf("the server's answer is damaged: %w", err)
	}
	return n, err
}
