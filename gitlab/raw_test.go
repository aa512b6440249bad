package gitlab_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// A job is kept as the server sent it, whichever request it comes from: fields that are
// new, null, numbers that no float64 can hold, keys that come twice. White space goes, and
// a string has one spelling.
func TestRawJob(t *testing.T) {
	t.Parallel()
	const sent = "{\"id\": 5, \"new\" : {\"deep\":[1 , {}, [ ]]},\r\n\t\"none\": null, \"big\": 9007199254740993, \"huge\": -1.50e+400, \"twice\": 1, \"twice\": 2,\n" +
		`"text": "a \" b, {[: \\", "\u0070at": "gl\u0070at\u002d1\/2<>&", "half": "\ud800", "control": "\u001b\u0000" }`
	const want = `{"id":5,"new":{"deep":[1,{},[]]},"none":null,"big":9007199254740993,"huge":-1.50e+400,"twice":1,"twice":2,` +
		`"text":"a \" b, {[: \\","pat":"glpat-1/2<>&","half":"` + "\ufffd" + `","control":"\u001b\u0000"}`
	for name, raw := range rawJobs(t, sent, true) {
		if raw != want {
			t.Errorf("%s: %s\nwant %s", name, raw, want)
		}
	}
	for name, raw := range rawJobs(t, sent, false) {
		if raw != "" {
			t.Errorf("%s: %s is kept though nobody asked for it", name, raw)
		}
	}
}

// rawJobs are the jobs that requests return from a server that always sends this one.
func rawJobs(t *testing.T, sent string, keep bool) map[string]string {
	t.Helper()
	c := inMemory(t, func(r *http.Request) *http.Response {
		if strings.HasSuffix(r.URL.Path, "/jobs") {
			return &http.Response{StatusCode: http.StatusOK, Body: body(" [ {\"id\": 6}, " + sent + "\n]")}
		}
		return &http.Response{StatusCode: map[string]int{"GET": 200, "POST": 201}[r.Method], Body: body("\n" + sent)}
	})
	c.KeepRaw = keep
	got := map[string]string{}
	for name, call := range map[string]func() (gitlab.Job, error){
		"job":     func() (gitlab.Job, error) { return c.Job(t.Context(), "1", 5) },
		"current": func() (gitlab.Job, error) { return c.CurrentJob(t.Context()) },
		"retry":   func() (gitlab.Job, error) { return c.RetryJob(t.Context(), "1", 5, nil) },
		"list": func() (job gitlab.Job, err error) {
			for job, err = range c.ProjectJobs(t.Context(), "1", gitlab.JobsOptions{}) {
				if job.ID != 6 {
					return job, err
				}
			}
			return job, err
		},
	} {
		job, err := call()
		if err != nil || job.ID != 5 {
			t.Errorf("%s: job %d: %v", name, job.ID, err)
		}
		got[name] = string(job.Raw)
	}
	return got
}

// What isn't a job is an error, and so are values so deep that indenting them would fill
// the memory.
func TestRawJobHostile(t *testing.T) {
	t.Parallel()
	nested := func(n int) string {
		return `{"id": 5, "brackets": "[[[[[[[[[[[[[[[[[[[[", "x": ` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + "}"
	}
	for sent, good := range map[string]bool{
		nested(16): true, nested(17): false, nested(9000): false, "3": false, "null": false, `"job"`: false, `[{"id": 5}]`: false, `{"id": 0}`: false, `{"id": 5`: false,
	} {
		c := inMemory(t, func(r *http.Request) *http.Response {
			if strings.HasSuffix(r.URL.Path, "/jobs") {
				return &http.Response{StatusCode: http.StatusOK, Body: body("[" + sent + "]")}
			}
			return &http.Response{StatusCode: http.StatusOK, Body: body(sent)}
		})
		c.KeepRaw = true
		_, one := c.Job(t.Context(), "1", 5)
		var listed error
		for _, listed = range c.PipelineJobs(t.Context(), "1", 2, gitlab.JobsOptions{}) {
			break
		}
		for _, err := range []error{one, listed} {
			if _, typed := errors.AsType[*gitlab.Error](err); (err == nil) != good || typed == good {
				t.Errorf("%.60s: %v", sent, err)
			}
		}
	}
}
