package gitlabtest_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// manyJobs is a world with jobs 1 … n, all in pipeline 7 of the public project 1, which
// anyone may list, including the token "reader".
func manyJobs(n int64) *gitlabtest.World {
	p := ran(7)
	for i := range n {
		p.Jobs = append(p.Jobs, &gitlabtest.Job{ID: i + 1, Name: "j", Status: []string{"success", "failed"}[i%2], Retried: i == 0})
	}
	p.Bridges = []*gitlabtest.Bridge{{ID: 901, Retried: true}, {ID: 902}}
	return &gitlabtest.World{
		Projects: []*gitlabtest.Project{{ID: 1, Path: "g/p", Visibility: gitlabtest.Public, Pipelines: []*gitlabtest.Pipeline{p}}},
		Tokens:   []*gitlabtest.Token{{Value: "reader", Kind: gitlabtest.KindPrivate}},
	}
}

func ids(t *testing.T, body string) []int64 {
	t.Helper()
	var rows []struct{ ID int64 }
	if err := json.Unmarshal([]byte(body), &rows); err != nil {
		t.Fatalf("%v in %.200s", err, body)
	}
	list := make([]int64, len(rows))
	for i, r := range rows {
		list[i] = r.ID
	}
	return list
}

// links splits a Link header by rel.
func links(t *testing.T, header string) map[string]*url.URL {
	t.Helper()
	all := map[string]*url.URL{}
	for part := range strings.SplitSeq(header, ", ") {
		address, rel, ok := strings.Cut(strings.TrimPrefix(part, "<"), `>; rel="`)
		u, err := url.Parse(address)
		if !ok || err != nil {
			t.Fatalf("Link: %q (%v)", header, err)
		}
		all[strings.TrimSuffix(rel, `"`)] = u
	}
	return all
}

// TestOffsetPages checks the headers of the first, a middle, the last and a later page
// (lib/gitlab/pagination/offset_header_builder.rb).
func TestOffsetPages(t *testing.T) {
	t.Parallel()
	s := gitlabtest.Start(manyJobs(251), gitlabtest.Options{})
	t.Cleanup(s.Close)
	const inside, all = "projects/1/pipelines/7/jobs", "projects/1/jobs"
	tests := []struct {
		path, query                   string
		rows                          int
		first                         int64
		page, size, prev, next, total string
		rels                          string
	}{
		{inside, "", 20, 251, "1", "20", "", "2", "250", "first last next"},
		{inside, "?page=2&per_page=100", 100, 151, "2", "100", "1", "3", "250", "first last next prev"},
		{inside, "?page=3&per_page=100", 50, 51, "3", "100", "2", "", "250", "first last prev"},
		{inside, "?page=4&per_page=100", 0, 0, "4", "100", "3", "", "250", "first last prev"},
		{inside, "?page=9223372036854775807", 0, 0, "9223372036854775807", "20", "9223372036854775806", "", "250", "first last prev"},
		{inside, "?per_page=1000", 100, 251, "1", "100", "", "2", "250", "first last next"},
		{inside, "?per_page=50&include_retried=true&page=6", 1, 1, "6", "50", "5", "", "251", "first last prev"},
		{inside, "?per_page=50&page=5", 50, 51, "5", "50", "4", "", "250", "first last prev"},
		{inside, "?scope[]=failed&scope[]=running&per_page=100&page=2", 25, 50, "2", "100", "1", "", "125", "first last prev"},
		{inside, "?scope=pending", 0, 0, "1", "20", "", "", "0", "first last"},
		{all, "?per_page=100&page=3", 51, 51, "3", "100", "2", "", "", "first prev"},
		{all, "?per_page=100&page=2", 100, 151, "2", "100", "1", "3", "", "first next prev"},
	}
	for _, tt := range tests {
		got := ask(t, s.APIURL+"/"+tt.path+tt.query, "PRIVATE-TOKEN", "reader")
		rows, h := ids(t, got.body), got.header
		if tt.rows == 0 && got.body != "[]" {
			t.Errorf("%s%s: %.100s, want []", tt.path, tt.query, got.body)
		}
		if len(rows) != tt.rows || tt.rows > 0 && rows[0] != tt.first || !slices.IsSortedFunc(rows, func(a, b int64) int { return int(b - a) }) {
			t.Errorf("%s%s: rows %v", tt.path, tt.query, rows)
		}
		for name, want := range map[string]string{"X-Page": tt.page, "X-Per-Page": tt.size, "X-Prev-Page": tt.prev, "X-Next-Page": tt.next, "X-Total": tt.total} {
			if h.Get(name) != want {
				t.Errorf("%s%s: %s = %q, want %q", tt.path, tt.query, name, h.Get(name), want)
			}
		}
		var rels []string
		for rel, u := range links(t, h.Get("Link")) {
			rels = append(rels, rel)
			if want := map[string]string{"first": "1", "prev": tt.prev, "next": tt.next}[rel]; want != "" && u.Query().Get("page") != want {
				t.Errorf("%s%s: %s is page %s", tt.path, tt.query, rel, u.Query().Get("page"))
			}
		}
		slices.Sort(rels)
		if strings.Join(rels, " ") != tt.rels {
			t.Errorf("%s%s: links %v, want %s", tt.path, tt.query, rels, tt.rels)
		}
	}
}

// A Link has the configured host, and repeats every parameter, even the token.
func TestLinks(t *testing.T) {
	t.Parallel()
	s := gitlabtest.Start(manyJobs(30), gitlabtest.Options{LinkHost: "gitlab.invalid:8443", RelativeRoot: "/gitlab"})
	t.Cleanup(s.Close)
	for _, query := range []string{"?scope[]=success&private_token=reader&per_page=3", "?pagination=keyset&scope[]=success&private_token=reader&per_page=3"} {
		next := links(t, ask(t, s.APIURL+"/projects/g%2Fp/jobs"+query).header.Get("Link"))["next"]
		if next == nil || next.Host != "gitlab.invalid:8443" || next.EscapedPath() != "/gitlab/api/v4/projects/g%2Fp/jobs" ||
			next.Query().Get("private_token") != "reader" || next.Query().Get("scope[]") != "success" || next.Query().Get("per_page") != "3" {
			t.Errorf("%s: %v", query, next)
		}
	}
}

// TestKeyset follows rel="next" through the pages of /projects/:id/jobs. Other lists
// don't have keyset pages.
func TestKeyset(t *testing.T) {
	t.Parallel()
	s := gitlabtest.Start(manyJobs(45), gitlabtest.Options{})
	t.Cleanup(s.Close)
	address, sizes := s.APIURL+"/projects/1/jobs?pagination=keyset&order_by=id&sort=desc&per_page=20", []int{}
	var seen []int64
	for address != "" && len(sizes) < 9 {
		got := ask(t, address, "PRIVATE-TOKEN", "reader")
		rows := ids(t, got.body)
		seen, sizes = append(seen, rows...), append(sizes, len(rows))
		if got.header.Get("X-Page") != "" || got.header.Get("X-Next-Page") != "" || got.header.Get("X-Total") != "" {
			t.Errorf("offset headers: %v", got.header)
		}
		address = ""
		if link := got.header.Get("Link"); link != "" {
			all := links(t, link)
			if len(all) != 1 {
				t.Errorf("Link: %s", link)
			}
			address = all["next"].String()
		}
	}
	if !slices.Equal(sizes, []int{20, 20, 5}) || len(slices.Compact(slices.Clone(seen))) != 45 || seen[0] != 45 || seen[44] != 1 {
		t.Errorf("pages of %v, rows %v", sizes, seen)
	}
	const refusal = `{"error":"Keyset pagination is not yet available for this type of request"}`
	for path, want := range map[string]string{
		"projects/1/jobs?pagination=keyset&order_by=name":       refusal,
		"projects/1/jobs?pagination=keyset&sort=asc":            refusal,
		"projects/1/pipelines/7/jobs?pagination=keyset":         refusal,
		"projects/1/pipelines/7/bridges?pagination=keyset":      refusal,
		"projects/1/pipelines?pagination=keyset":                refusal,
		"projects/1/jobs?per_page=100&page=501":                 `{"error":"Offset pagination has a maximum allowed offset of 50000 `,
		"projects/1/jobs?page=9223372036854775807":              `{"error":"Offset pagination has a maximum allowed offset of 50000 `,
		"projects/1/jobs?per_page=100&page=500":                 "[]",
		"projects/1/jobs?per_page=100&page=999&pagination=none": `{"error":"Offset`,
		"projects/1/pipelines/7/jobs?per_page=100&page=501":     "[]",
	} {
		got := ask(t, s.APIURL+"/"+path, "PRIVATE-TOKEN", "reader")
		if !strings.HasPrefix(got.body, want) || (got.status == 405) != (want != "[]") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

// The list of pipelines omits children unless requested; the list of trigger jobs omits
// retried ones.
func TestListFilters(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{})
	for query, want := range map[string][]int64{
		"pipelines":                                         {120, 110, 105, 104, 103, 100, 90},
		"pipelines?ref=main&status=success":                 {100, 90},
		"pipelines?ref=main&sort=asc&per_page=2":            {90, 100},
		"pipelines?source=parent_pipeline":                  {102, 101},
		"pipelines?source=web":                              {},
		"pipelines/100/bridges":                             {1091, 1090},
		"pipelines/100/trigger_jobs":                        {1091, 1090},
		"pipelines/100/jobs?scope=failed":                   {1008},
		"jobs?scope[]=failed&scope[]=running":               {1401, 1008},
		"pipelines/101/jobs":                                {1102, 1101},
		"pipelines/100/jobs?per_page=7&include_retried=yes": {1019, 1018, 1017, 1016, 1015, 1014, 1013},
	} {
		if got := ids(t, ask(t, s.APIURL+"/projects/1/"+query, credentials["job"]...).body); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	many := gitlabtest.Start(manyJobs(1), gitlabtest.Options{})
	t.Cleanup(many.Close)
	for query, want := range map[string][]int64{"": {902}, "?include_retried=true": {902, 901}} {
		if got := ids(t, ask(t, many.APIURL+"/projects/1/pipelines/7/bridges"+query).body); !slices.Equal(got, want) {
			t.Errorf("bridges%s: %v, want %v", query, got, want)
		}
	}
}
