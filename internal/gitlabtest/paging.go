package gitlabtest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
)

func (c *call) pageSize(query url.Values) int {
	return min(answer.Positive(query.Get("per_page"), 20), c.s.opts.PerPage)
}

// paged answers with one page of rows, which are sorted by ID, newest first:
// lib/gitlab/pagination/offset_header_builder.rb. counts adds the totals.
func paged[T any](c *call, rows []T, counts bool) {
	query := c.r.URL.Query()
	if query.Get("pagination") == "keyset" {
		noKeyset(c.w)
		return
	}
	size, number := c.pageSize(query), answer.Positive(query.Get("page"), 1)
	shift := 0
	if number > 1 && !c.unshifted {
		shift = min(c.s.opts.ShiftRows, size)
	}
	total := len(rows) + shift
	pages := max((total+size-1)/size, 1)
	from, to := len(rows), len(rows) // beyond the last page
	if number <= pages {
		from = (number-1)*size - shift // the new rows are on the first page
		to = min(from+size, len(rows))
	}
	h := c.w.Header()
	h.Set("X-Page", strconv.Itoa(number))
	h.Set("X-Per-Page", strconv.Itoa(size))
	h.Set("X-Next-Page", "")
	h.Set("X-Prev-Page", "")
	var links []string
	if number > 1 {
		h.Set("X-Prev-Page", strconv.Itoa(number-1))
		links = append(links, c.link("prev", "page", number-1))
	}
	if number < pages {
		h.Set("X-Next-Page", strconv.Itoa(number+1))
		links = append(links, c.link("next", "page", number+1))
	}
	links = append(links, c.link("first", "page", 1))
	if counts {
		h.Set("X-Total", strconv.Itoa(total))
		h.Set("X-Total-Pages", strconv.Itoa(pages))
		links = append(links, c.link("last", "page", pages))
	}
	h.Set("Link", strings.Join(links, ", "))
	answer.Respond(c.w, http.StatusOK, answer.OrEmpty(rows[from:to]))
}

// keyset answers with a page that has a cursor and only rel="next". Jobs have only one
// order: by ID, newest first.
func keyset[T any](c *call, rows []T) {
	query := c.r.URL.Query()
	if c.s.opts.NoKeyset || cmp.Or(query.Get("order_by"), "id") != "id" || cmp.Or(query.Get("sort"), "desc") != "desc" {
		noKeyset(c.w)
		return
	}
	from := min(answer.Positive(query.Get("cursor"), 1)-1, len(rows))
	to := min(from+c.pageSize(query), len(rows))
	if to < len(rows) {
		c.w.Header().Set("Link", c.link("next", "cursor", to+1))
	}
	answer.Respond(c.w, http.StatusOK, answer.OrEmpty(rows[from:to]))
}

// The errors of lib/api/helpers/pagination_strategies.rb.

func noKeyset(w http.ResponseWriter) {
	answer.Respond(w, http.StatusMethodNotAllowed, map[string]string{"error": "Keyset pagination is not yet available for this type of request"})
}

func offsetTooLarge(w http.ResponseWriter, limit int) {
	answer.Respond(w, http.StatusMethodNotAllowed, map[string]string{"error": fmt.Sprintf(
		"Offset pagination has a maximum allowed offset of %d for requests that return objects of type Ci::Build. "+
			"Remaining records can be retrieved using keyset pagination.", limit)})
}

// link repeats every parameter except one, with the host from the instance's
// configuration.
func (c *call) link(rel, parameter string, value int) string {
	base := origin(c.r)
	if c.s.opts.LinkHost != "" {
		scheme, _, _ := strings.Cut(base, "://")
		base = scheme + "://" + c.s.opts.LinkHost
	}
	query := c.r.URL.Query()
	query.Set(parameter, strconv.Itoa(value))
	return fmt.Sprintf(`<%s%s?%s>; rel=%q`, base, c.r.URL.EscapedPath(), query.Encode(), rel)
}
