package gitlabtest_test

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

const (
	jwtJob     = "eyJhbGciOiJSUzI1NiJ9.eyJqb2IiOjF9.c2ln"
	deadJWTJob = "eyJhbGciOiJSUzI1NiJ9.eyJqb2IiOjJ9.c2ln"
)

// tokenWorld has projects of every visibility and tokens of every kind. Project 1 owns
// the job tokens; only projects with an even ID allow them.
func tokenWorld() *gitlabtest.World {
	project := func(id int64, path, visibility string, allow ...int64) *gitlabtest.Project {
		zip := gitlabtest.Zip(gitlabtest.File{Name: "a.txt", Content: "a"})
		return &gitlabtest.Project{
			ID: id, Path: path, Visibility: visibility, DefaultBranch: "main", JobTokenAllowlist: allow,
			Pipelines: []*gitlabtest.Pipeline{{ID: id * 10, Ref: "main", Status: "success", Jobs: []*gitlabtest.Job{
				{ID: id * 100, Name: "build", Archive: zip},
				{ID: id*100 + 1, Name: "developers", Archive: zip, Access: "developer"},
				{ID: id*100 + 2, Name: "maintainers", Archive: zip, Access: "maintainer"},
				{ID: id*100 + 3, Name: "nobody", Archive: zip, Access: "none"},
			}}},
		}
	}
	roles := func(role string) map[int64]string {
		return map[int64]string{1: role, 2: role, 3: role, 4: role, 5: role, 6: role}
	}
	return &gitlabtest.World{
		Projects: []*gitlabtest.Project{
			project(1, "g/own", gitlabtest.Private),
			project(2, "g/listed", gitlabtest.Private, 1),
			project(3, "g/foreign", gitlabtest.Private, 99),
			project(4, "g/internal-listed", gitlabtest.Internal, 1),
			project(5, "g/internal", gitlabtest.Internal),
			project(6, "g/public-listed", gitlabtest.Public, 1),
			project(7, "g/public", gitlabtest.Public),
		},
		Tokens: []*gitlabtest.Token{
			{Value: "glcbt-live", Kind: gitlabtest.KindJob, Project: 1, Job: 100},
			{Value: "glcbt-dead", Kind: gitlabtest.KindJob, Project: 1, Job: 100, Dead: true},
			{Value: "glcbt-homeless", Kind: gitlabtest.KindJob, Project: 404, Job: 1},
			{Value: jwtJob, Kind: gitlabtest.KindJob, Project: 1, Job: 100},
			{Value: deadJWTJob, Kind: gitlabtest.KindJob, Project: 1, Job: 100, Dead: true},
			{Value: "maintainer", Kind: gitlabtest.KindPrivate, Roles: roles("maintainer")},
			{Value: "developer", Kind: gitlabtest.KindPrivate, Roles: roles("developer")},
			{Value: "guest", Kind: gitlabtest.KindPrivate, Roles: roles("guest")},
			{Value: "stranger", Kind: gitlabtest.KindPrivate},
			{Value: "reader", Kind: gitlabtest.KindPrivate, Roles: roles("developer"), Scopes: []string{"read_user", "read_api"}},
			{Value: "granular", Kind: gitlabtest.KindPrivate, Roles: roles("developer"), Permissions: []string{"Job: Read"}},
			{Value: "narrow", Kind: gitlabtest.KindPrivate, Roles: roles("developer"), Scopes: []string{"read_user"}},
			{Value: "expired", Kind: gitlabtest.KindPrivate, Roles: roles("developer"), Dead: true},
			{Value: "blocked", Kind: gitlabtest.KindPrivate, Roles: roles("developer"), Blocked: true},
			{Value: "oauth", Kind: gitlabtest.KindBearer, Roles: roles("developer")},
		},
	}
}

// sent is a way to send a credential: headers in pairs, or a query.
type sent struct {
	header []string
	query  string
}

func carried(by, value string) sent {
	switch by {
	case "bearer":
		return sent{header: []string{"Authorization", "Bearer " + value}}
	case "job_token", "private_token", "token":
		return sent{query: by + "=" + url.QueryEscape(value)}
	}
	return sent{header: []string{by, value}}
}

// families are the kinds of routes; the outcomes below are in this order.
var families = []string{
	"projects/1/jobs/100/artifacts", // accepts job tokens and anonymous requests
	"projects/1/jobs",               // accepts job tokens, not anonymous requests
	"projects/1/pipelines/10/jobs",  // accepts job tokens and anonymous requests
	"projects/1/jobs/100",           // accepts neither job tokens nor anonymous requests
	"job",                           // accepts only job tokens
	"jobs/100/artifacts",            // the runner's
}

// TestCredentialMatrix sends every kind of credential in every way to every kind of
// route: lib/gitlab/auth/auth_finders.rb, lib/api/api_guard.rb.
func TestCredentialMatrix(t *testing.T) {
	t.Parallel()
	both := func(a, b sent) sent { return sent{append(slices.Clone(a.header), b.header...), a.query + b.query} }
	live := []int{200, 200, 200, 401, 200, 200}
	personal := []int{200, 200, 200, 200, 404, 403}
	anonymous := []int{404, 401, 404, 401, 401, 401}
	refused := []int{401, 401, 401, 401, 401, 401}
	forbidden := []int{403, 403, 403, 403, 403, 403}
	dead := []int{401, 401, 401, 401, 401, 401} // where job tokens are ignored, 401 means anonymous
	tests := map[string]struct {
		sent
		want []int
	}{
		"nothing":                 {sent{}, anonymous},
		"job":                     {carried("JOB-TOKEN", "glcbt-live"), live},
		"job_token":               {carried("job_token", "glcbt-live"), live},
		"token":                   {carried("token", "glcbt-live"), live},
		"job as bearer":           {carried("bearer", "glcbt-live"), live},
		"job as private":          {carried("PRIVATE-TOKEN", "glcbt-live"), anonymous},
		"dead job":                {carried("JOB-TOKEN", "glcbt-dead"), dead},
		"unknown job":             {carried("JOB-TOKEN", "glcbt-unknown"), dead},
		"dead job as bearer":      {carried("bearer", "glcbt-dead"), anonymous},
		"unknown job as bearer":   {carried("bearer", "glcbt-unknown"), anonymous},
		"dead job as private":     {carried("PRIVATE-TOKEN", "glcbt-dead"), anonymous},
		"personal as job":         {carried("JOB-TOKEN", "developer"), dead},
		"JWT":                     {carried("JOB-TOKEN", jwtJob), live},
		"JWT as bearer":           {carried("bearer", jwtJob), live},
		"JWT as private":          {carried("PRIVATE-TOKEN", jwtJob), refused},
		"dead JWT as bearer":      {carried("bearer", deadJWTJob), refused},
		"private":                 {carried("PRIVATE-TOKEN", "developer"), personal},
		"private_token":           {carried("private_token", "developer"), personal},
		"private as bearer":       {carried("bearer", "developer"), personal},
		"read_api":                {carried("PRIVATE-TOKEN", "reader"), personal},
		"oauth":                   {carried("bearer", "oauth"), personal},
		"oauth as private":        {carried("PRIVATE-TOKEN", "oauth"), refused},
		"unknown private":         {carried("PRIVATE-TOKEN", "glpat-unknown"), refused},
		"unknown bearer":          {carried("bearer", "glpat-unknown"), refused},
		"expired":                 {carried("PRIVATE-TOKEN", "expired"), refused},
		"narrow":                  {carried("PRIVATE-TOKEN", "narrow"), forbidden},
		"blocked":                 {carried("PRIVATE-TOKEN", "blocked"), forbidden},
		"stranger":                {carried("PRIVATE-TOKEN", "stranger"), []int{404, 404, 404, 404, 404, 403}},
		"basic":                   {sent{header: []string{"Authorization", "Basic eDp5"}}, anonymous},
		"private before job":      {both(carried("PRIVATE-TOKEN", "developer"), carried("JOB-TOKEN", "glcbt-dead")), personal},
		"unknown before job":      {both(carried("PRIVATE-TOKEN", "glpat-unknown"), carried("JOB-TOKEN", "glcbt-live")), refused},
		"no private before job":   {both(carried("PRIVATE-TOKEN", "glcbt-dead"), carried("JOB-TOKEN", "glcbt-live")), live},
		"parameter before job":    {both(carried("job_token", "glcbt-dead"), carried("JOB-TOKEN", "glcbt-live")), dead},
		"private, not a bearer":   {both(carried("PRIVATE-TOKEN", "glcbt-live"), carried("bearer", "x")), anonymous},
		"private before bearer":   {both(carried("PRIVATE-TOKEN", "developer"), carried("bearer", "glcbt-live")), personal},
		"job of no known project": {carried("JOB-TOKEN", "glcbt-homeless"), []int{403, 403, 403, 401, 404, 403}},
	}
	s := gitlabtest.Start(tokenWorld(), gitlabtest.Options{})
	t.Cleanup(s.Close)
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		tt := tests[name]
		for i, path := range families {
			if got := ask(t, s.APIURL+"/"+path+"?"+tt.query, tt.header...); got.status != tt.want[i] {
				t.Errorf("%s on %s: %d, want %d: %.100s", name, path, got.status, tt.want[i], got.body)
			}
		}
	}
}

// Routes that don't accept job tokens yet treat a dead one as no token.
func TestIgnoredJobToken(t *testing.T) {
	t.Parallel()
	s := gitlabtest.Start(tokenWorld(), gitlabtest.Options{Version: "17.11"})
	t.Cleanup(s.Close)
	for _, value := range []string{"glcbt-live", "glcbt-dead", "unknown"} {
		for path, want := range map[string]int{
			"projects/1/pipelines/10/jobs":    404,
			"projects/7/pipelines/70/jobs":    200,
			"projects/7/pipelines":            200,
			"projects/7/pipelines/70":         200,
			"projects/7/pipelines/70/bridges": 200,
			"projects/7/jobs":                 401,
			"projects/7/jobs/700":             401,
		} {
			if got := ask(t, s.APIURL+"/"+path, "JOB-TOKEN", value); got.status != want {
				t.Errorf("%s with %s: %d, want %d", path, value, got.status, want)
			}
		}
	}
}

// TestRefusals checks the words of each refusal.
func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, path string
		sent
		body, authenticate string
	}{
		{"unknown", "job", carried("PRIVATE-TOKEN", "x"), `{"message":"401 Unauthorized"}`, ""},
		{"expired", "job", carried("PRIVATE-TOKEN", "expired"), `"error":"invalid_token"`, "Bearer"},
		{"narrow", "job", carried("PRIVATE-TOKEN", "narrow"), `"scope":"api read_api"`, ""},
		{"fine-grained", "projects/1/pipelines", carried("PRIVATE-TOKEN", "granular"), `with the following project permissions: [Pipeline: Read]."`, ""},
		{"fine-grained, an archive", "projects/1/jobs/1/artifacts", carried("PRIVATE-TOKEN", "granular"), `[Job Artifact: Read]`, ""},
		{"fine-grained, metadata", "metadata", carried("PRIVATE-TOKEN", "granular"), `"error":"insufficient_granular_scope"`, ""},
		{"blocked", "job", carried("PRIVATE-TOKEN", "blocked"), `{"message":"403 Forbidden - `, ""},
		{"by allowlist", "projects/3/jobs/300/artifacts", carried("JOB-TOKEN", "glcbt-live"),
			`{"message":"403 Forbidden - Authentication by CI/CD job token not allowed from own to foreign."}`, ""},
		{"by role", "projects/1/jobs/102/artifacts", carried("PRIVATE-TOKEN", "developer"), `{"message":"403 Forbidden"}`, ""},
		{"no such project", "projects/g%2Fnone/jobs/1/artifacts", carried("JOB-TOKEN", "glcbt-live"), `{"message":"404 Project Not Found"}`, ""},
	}
	s := gitlabtest.Start(tokenWorld(), gitlabtest.Options{})
	t.Cleanup(s.Close)
	for _, tt := range tests {
		got := ask(t, s.APIURL+"/"+tt.path, tt.header...)
		if !strings.Contains(got.body, tt.body) || !strings.HasPrefix(got.header.Get("WWW-Authenticate"), tt.authenticate) {
			t.Errorf("%s: %s %v, want %s", tt.name, got.body, got.header, tt.body)
		}
		if tt.authenticate == "" && got.header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: WWW-Authenticate %q", tt.name, got.header.Get("WWW-Authenticate"))
		}
	}
}
