package gitlab

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

// The server's maximum of rows.
const (
	maxPerPage = 100
	perPage    = "100"
)

// How far to read a list. Some projects have millions of jobs, and no caller needs all of
// them; a broken server may repeat pages.
const (
	maxPages     = 10_000
	maxListBytes = 256 << 20 // of JSON
	stalePages   = 10        // consecutive pages without a new row
)

// list yields the rows of every page, and requests each page when it is needed. New rows
// move others from one page to the next; list yields each row once. An endless list is an
// error.
func list[T any, K comparable](ctx context.Context, c *Client, address string, key func(T) K) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var rows []T
		seen := map[K]bool{}
		take := func() (fresh, more bool) {
			for _, row := range rows {
				if seen[key(row)] {
					continue
				}
				seen[key(row)], fresh = true, true
				if !yield(row, nil) {
					return fresh, false
				}
			}
			rows = nil
			return fresh, true
		}
		if err := c.pages(ctx, address, &rows, take); err != nil {
			var none T
			yield(none, err)
		}
	}
}

// pages reads one page after the other into rows. take reports whether a page had new
// rows, and whether another page is needed.
//
// The number of the next page, or for keyset pages its cursor, is added to our own
// address: Link headers have the host that the server is configured with. Behind a proxy
// that may be another host, which must not get the token.
// https://docs.gitlab.com/api/rest/#pagination
func (c *Client) pages(ctx context.Context, address string, rows any, take func() (fresh, more bool)) error {
	for read := (progress{}); address != ""; {
		if why := read.over(); why != "" {
			return endless(address, why)
		}
		a, err := c.get(ctx, address, rows)
		if err != nil {
			return err
		}
		fresh, more := take()
		if !more {
			return nil
		}
		read.page(int64(len(a.body)), fresh)
		next, stuck := nextPage(address, a.Header)
		if stuck {
			return a.unusable("the list is longer, but the address of its next page is invalid")
		}
		address = next
	}
	return nil
}

// progress is how much of a list has been read.
type progress struct {
	pages, stale int
	bytes        int64
}

func (p *progress) page(size int64, fresh bool) {
	p.pages++
	p.bytes += size
	if p.stale++; fresh {
		p.stale = 0
	}
}

// over returns why no other page is read, or "".
func (p *progress) over() string {
	switch {
	case p.pages == maxPages, p.bytes >= maxListBytes:
		return fmt.Sprintf("%d pages of %d bytes, and there is another one", p.pages, p.bytes)
	case p.stale == stalePages:
		return "nothing new on its last pages"
	}
	return ""
}

func endless(address, why string) error {
	return &Error{Method: http.MethodGet, URL: redact.URL(address), StatusCode: http.StatusOK, Message: "the list has no end: " + why}
}

// nextPage returns the address of the page after the one at address, or "". If the next
// page would be this one again, stuck is true.
func nextPage(address string, h http.Header) (next string, stuck bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", false
	}
	query := u.Query()
	if next := h.Get("X-Next-Page"); next != "" {
		// Only go forward, or a broken server could keep us busy forever.
		number, err := strconv.Atoi(next)
		if current, _ := strconv.Atoi(query.Get("page")); err != nil || number <= max(current, 1) {
			return "", true
		}
		query.Set("page", next)
		u.RawQuery = query.Encode()
		return u.String(), false
	}
	link := relNext(h)
	if link == nil {
		return "", false
	}
	for name, values := range link.Query() {
		if name != "job_token" && name != "private_token" {
			query[name] = values
		}
	}
	if next := query.Encode(); next != u.RawQuery {
		u.RawQuery = next
		return u.String(), false
	}
	return "", true // the same page again
}

// relNext finds rel="next" among the Link headers (RFC 8288).
func relNext(h http.Header) *url.URL {
	for _, value := range h.Values("Link") {
		for part := range strings.SplitSeq(value, ", ") {
			target, params, ok := strings.Cut(part, ">")
			if !ok || !strings.Contains(params, `rel="next"`) {
				continue
			}
			u, err := url.Parse(strings.TrimPrefix(strings.TrimSpace(target), "<"))
			if err != nil {
				u = new(url.URL) // there is a next page, whatever its address
			}
			return u
		}
	}
	return nil
}
