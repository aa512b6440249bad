package transport

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// compressing is a server that compresses its answer if that is accepted.
type compressing struct {
	t     *testing.T
	text  string
	cut   int // bytes that are missing at the end of the first answer
	wrong bool
	asked []string // Accept-Encoding
}

// RoundTrip implements [http.RoundTripper].
func (c *compressing) RoundTrip(req *http.Request) (*http.Response, error) {
	c.asked = append(c.asked, req.Header.Get("Accept-Encoding"))
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: req}
	if req.Header.Get("Accept-Encoding") != "gzip" {
		resp.Body = io.NopCloser(strings.NewReader(c.text))
		return resp, nil
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, c.text); err != nil {
		c.t.Error(err)
	}
	if err := z.Close(); err != nil {
		c.t.Error(err)
	}
	packed := b.Bytes()
	if c.wrong {
		packed[len(packed)-8]++ // CRC-32
	}
	resp.Header.Set("Content-Encoding", "gzip")
	resp.Body = io.NopCloser(bytes.NewReader(packed[:len(packed)-c.cut]))
	c.cut = 0
	return resp, nil
}

// Answers that are read whole arrive compressed; an answer that breaks off is requested
// again. Files and parts of them arrive as they are stored.
func TestCompressedAnswers(t *testing.T) {
	t.Parallel()
	text := strings.Repeat(`{"id":1001,"name":"build"},`, 2000)
	for _, tt := range []struct {
		name    string
		server  compressing
		stream  bool
		header  string // of the request
		asked   string
		damaged bool
	}{
		{name: "whole", asked: "gzip"},
		{name: "broken off", server: compressing{cut: 100}, asked: "gzip gzip"},
		{name: "broken off in the header", server: compressing{cut: 1 << 30}, asked: "gzip gzip"},
		{name: "damaged", server: compressing{wrong: true}, asked: "gzip", damaged: true},
		{name: "a part", header: "Range", asked: ""},
		{name: "a file", stream: true, asked: ""},
	} {
		server := &tt.server
		server.t, server.text = t, text
		if server.cut == 1<<30 {
			server.text, server.cut = "x", 20
		}
		both := clients(t, server, Policy{Retries: 2})
		client := both.Whole
		if tt.stream {
			client = both.Stream
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://h/api/v4/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.header != "" {
			req.Header.Set(tt.header, "bytes=0-0")
		}
		resp, err := client.Do(req)
		if err != nil {
			if !tt.damaged || !errors.Is(err, gzip.ErrChecksum) {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		got, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || string(got) != server.text || tt.damaged || resp.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %d bytes, %v", tt.name, len(got), err)
		}
		if asked := strings.TrimSpace(strings.Join(server.asked, " ")); asked != tt.asked {
			t.Errorf("%s: asked for %q, want %q", tt.name, asked, tt.asked)
		}
	}
}

// What a small answer decompresses to is limited like any other.
func TestCompressedBomb(t *testing.T) {
	t.Parallel()
	server := &compressing{t: t, text: strings.Repeat("0", 2*maxWhole)}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://h/api/v4/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := clients(t, server, Policy{Retries: -1}).Whole.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil || len(got) != maxWhole {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
