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

// How far a list is followed. GitLab has projects with millions of jobs, which no
// caller wants to see all of; a server that is confused repeats itself.
const (
	maxPages   = 10_000
	stalePages = 10 // in a row, without a new row
)

// list yields the rows of every page, each page when it is needed. Rows that are
// added while pages are read push others from one page to the next; a row that
// came already is left out. A list without end is an error.
func list[T any, K comparable](ctx context.Context, c *Client, address string, key func(T) K) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		seen, stale := map[K]bool{}, 0
		for rows, err := range pages[T](ctx, c, address) {
			if err == nil && stale == stalePages {
				err = endless(address, "nothing new on its last pages")
			}
			if err != nil {
				yield(none, err)
				return
			}
			stale++
			for _, row := range rows {
				if seen[key(row)] {
					continue
				}
				seen[key(row)], stale = true, 0
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// pages yields one page after the other.
//
// The next page's number, or for keyset pages its cursor, is put into our own
// address: Link headers carry the host that the server is configured with, which
// behind a proxy may be another, and must not receive the token.
// https://docs.gitlab.com/api/rest/#pagination
func pages[T any](ctx context.Context, c *Client, address string) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		for n := 0; address != ""; n++ {
			if n == maxPages {
				yield(nil, endless(address, fmt.Sprintf("%d pages, and there is another one", n)))
				return
			}
			var rows []T
			header, err := c.get(ctx, address, &rows)
			if !yield(rows, err) || err != nil {
				return
			}
			address = nextPage(address, header)
		}
	}
}

func endless(address, why string) error {
	return &Error{Method: http.MethodGet, URL: redact.URL(address), StatusCode: http.StatusOK, Message: "the list has no end: " + why}
}

// nextPage is the address of the page after the one at address, or "".
func nextPage(address string, h http.Header) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	query := u.Query()
	if next := h.Get("X-Next-Page"); next != "" {
		// Only ever forward, or a confused server would keep us for ever.
		number, err := strconv.Atoi(next)
		if current, _ := strconv.Atoi(query.Get("page")); err != nil || number <= max(current, 1) {
			return ""
		}
		query.Set("page", next)
		u.RawQuery = query.Encode()
		return u.String()
	}
	link := relNext(h)
	if link == nil {
		return ""
	}
	for name, values := range link.Query() {
		if name != "job_token" && name != "private_token" {
			query[name] = values
		}
	}
	if next := query.Encode(); next != u.RawQuery {
		u.RawQuery = next
		return u.String()
	}
	return "" // the same page again
}

// relNext finds rel="next" among the Link headers (RFC 8288).
func relNext(h http.Header) *url.URL {
	for _, value := range h.Values("Link") {
		for part := range strings.SplitSeq(value, ", ") {
			target, params, ok := strings.Cut(part, ">")
			if !ok || !strings.Contains(params, `rel="next"`) {
				continue
			}
			if u, err := url.Parse(strings.TrimPrefix(strings.TrimSpace(target), "<")); err == nil {
				return u
			}
		}
	}
	return nil
}
