package redact

import (
	"net/url"
	"slices"
	"strings"
)

// placeholder is [mark] in a form that needs no escaping in a URL.
const placeholder = "REDACTED"

// harmless lists the query parameters of GitLab's API whose values help to
// understand a request and are never a credential. It is an allowlist, since
// the parameters of signed URLs differ from store to store.
func harmless(name string) bool {
	name = strings.TrimSuffix(strings.ToLower(name), "[]")
	return slices.Contains([]string{
		"cursor", "direct_download", "download_mode", "id_after", "id_before", "include_retried", "job",
		"order_by", "page", "pagination", "path", "per_page", "recursive", "ref", "scope",
		"search_recent_successful_pipelines", "file_type", "sha", "sort", "source", "stats", "status",
		"updated_after", "updated_before",
	}, name)
}

// URL returns u without userinfo, with REDACTED in place of its fragment and of
// every query value that is not known to be harmless. Text that isn't a URL
// loses the parts that would contain these.
func URL(u string) string {
	parsed, err := url.Parse(u)
	if err != nil {
		return malformed(u)
	}
	return URLOf(parsed)
}

// URLOf is [URL] for a parsed URL, which it does not change. It returns "" for
// nil.
func URLOf(u *url.URL) string {
	if u == nil {
		return ""
	}
	clean := *u
	clean.User = nil
	clean.RawQuery = query(u.RawQuery)
	if u.Opaque != "" {
		clean.Opaque = placeholder
	}
	clean.Fragment, clean.RawFragment = "", ""
	if u.Fragment != "" {
		clean.Fragment = placeholder
	}
	return clean.String()
}

// query redacts a query string and keeps order and spelling of what remains.
func query(raw string) string {
	if raw == "" {
		return ""
	}
	pairs := strings.Split(raw, "&")
	for i, pair := range pairs {
		pairs[i] = parameter(pair)
	}
	return strings.Join(pairs, "&")
}

func parameter(pair string) string {
	if pair == "" {
		return ""
	}
	rawName, value, found := strings.Cut(pair, "=")
	name, err := url.QueryUnescape(rawName)
	// Some servers split at a semicolon as well, so that a second parameter may
	// hide in the value.
	if err == nil && harmless(name) && !strings.Contains(value, ";") {
		return pair
	}
	if !found {
		return placeholder // a name without a value may itself be the secret
	}
	return rawName + "=" + placeholder
}

// malformed redacts what url.Parse refuses: everything up to the last @ of the
// authority, and everything from the first ? or # on.
func malformed(u string) string {
	if i := strings.IndexAny(u, "?#"); i >= 0 {
		u = u[:i+1] + placeholder
	}
	scheme, rest, found := strings.Cut(u, "://")
	if !found {
		scheme, rest = "", u
	}
	authority, path, _ := strings.Cut(rest, "/")
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		rest = strings.TrimSuffix(authority[i+1:]+"/"+path, "/")
	}
	if !found {
		return rest
	}
	return scheme + "://" + rest
}
