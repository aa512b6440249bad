package gitlab_test

import (
	"net/http"
	"strings"
	"testing"
)

// A server shows that it is GitLab by its version, at either route, by a refusal, or by
// its projects; and by nothing else.
func TestGreeting(t *testing.T) {
	t.Parallel()
	const version, refusal, gone = `200 {"version":"18.5.1-ee"}`, `403 {"message":"403 Forbidden"}`, `404 {"error":"404 Not Found"}`
	for name, tt := range map[string]struct {
		answers map[string]string // by route; the rest is gone
		version string
		refused bool
		fails   bool
		asked   string
	}{
		"metadata":                  {map[string]string{"metadata": version}, "18.5.1-ee", false, false, "metadata"},
		"dead":                      {map[string]string{"metadata": `401 {"message":"401 Unauthorized"}`}, "", true, false, "metadata"},
		"version":                   {map[string]string{"version": version}, "18.5.1-ee", false, false, "metadata version"},
		"metadata closed":           {map[string]string{"metadata": refusal, "version": version}, "18.5.1-ee", false, false, "metadata version"},
		"both closed":               {map[string]string{"metadata": refusal, "version": refusal}, "", true, false, "metadata version"},
		"projects":                  {map[string]string{"projects": `200 [{"id":1}]`}, "", false, false, "metadata version projects"},
		"no project":                {map[string]string{"projects": `200 []`}, "", false, false, "metadata version projects"},
		"projects closed":           {map[string]string{"projects": refusal}, "", true, false, "metadata version projects"},
		"nothing":                   {nil, "", false, true, "metadata version projects"},
		"another server's metadata": {map[string]string{"metadata": `200 {}`}, "", false, true, "metadata"},
		"and version":               {map[string]string{"version": `200 {}`}, "", false, true, "metadata version"},
		"another server's projects": {map[string]string{"projects": `200 {}`}, "", false, true, "metadata version projects"},
		"trouble":                   {map[string]string{"metadata": `502 {}`}, "", false, true, "metadata"},
	} {
		var asked []string
		c := inMemory(t, func(r *http.Request) *http.Response {
			route := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
			asked = append(asked, route)
			answer, ok := tt.answers[route]
			if !ok {
				answer = gone
			}
			status := map[string]int{"200": 200, "401": 401, "403": 403, "404": 404, "502": 502}[answer[:3]]
			return &http.Response{StatusCode: status, Body: body(answer[4:]), Header: http.Header{"Content-Type": {"application/json"}}}
		})
		g, err := c.Greet(t.Context())
		if g.Version != tt.version && err == nil || (g.Refused != nil) != tt.refused && err == nil || (err != nil) != tt.fails || strings.Join(asked, " ") != tt.asked {
			t.Errorf("%s: %+v, %v, asked for %q", name, g, err, asked)
		}
	}
}
