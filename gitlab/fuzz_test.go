package gitlab_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// FuzzPages reads a list from a server that answers anything. It ends, after a bounded
// number of requests, and what is wrong is an error with a type.
func FuzzPages(f *testing.F) {
	f.Add(200, `[{"id":1},{"id":2}]`, "2", "", "text/html", uint8(3))
	f.Add(200, `[{"id":1}]`, "", `<https://other/?cursor=x&job_token=y>; rel="next"`, "application/json", uint8(200))
	f.Add(200, `[]`, "99999999999999999999", `<>; rel="next", <`, "", uint8(9))
	f.Add(200, `[]`, "+", "", "", uint8(0))
	f.Add(204, ``, "-1", `<?page=2>; rel="next"`, "", uint8(1))
	f.Add(302, `null`, "", "", "", uint8(1))
	f.Add(404, `{"message":{"error":["x",{"a":null}]}}`, "", "", "", uint8(1))
	f.Add(405, `{"error":"404 Not Found"}`, "", "", "", uint8(1))
	f.Fuzz(func(t *testing.T, status int, text, next, link, contentType string, every uint8) {
		requests := 0
		c := inMemory(t, func(r *http.Request) *http.Response {
			requests++
			if r.URL.Host != "h" {
				t.Errorf("%s is asked", r.URL)
			}
			h := http.Header{"Content-Type": {contentType}, "X-Next-Page": {next}, "Link": {link}}
			if next == "+" { // ever on
				h.Set("X-Next-Page", fmt.Sprint(requests+1))
			}
			resp := &http.Response{StatusCode: status, Header: h, Body: body(text)}
			if every > 0 && requests%int(every) == 0 {
				resp.StatusCode = 200
				resp.Body = body(fmt.Sprintf(`[{"id":%d}]`, requests))
			}
			return resp
		})
		lists := []func() error{
			func() error { return drained(c.ProjectJobs(t.Context(), "7", gitlab.JobsOptions{})) },
			func() error { return drained(c.Bridges(t.Context(), "7", 1, true)) },
			func() error { return drained(c.Tree(t.Context(), "7", 1, "", true)) },
		}
		for _, list := range lists {
			before := requests
			err := list()
			_, refused := errors.AsType[*gitlab.Error](err)
			_, request := errors.AsType[*url.Error](err)
			if err != nil && !refused && !request {
				t.Errorf("%T: %v", err, err)
			}
			if requests-before > 20_100 {
				t.Errorf("%d requests", requests-before)
			}
		}
	})
}

func drained[T any](list func(func(T, error) bool)) (last error) {
	list(func(_ T, err error) bool { last = err; return true })
	return last
}
