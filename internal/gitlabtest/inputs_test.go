package gitlabtest_test

import (
	"maps"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// inputServer has job 5402, which waits, and job 5401, which already ran with inputs.
func inputServer(t *testing.T, o gitlabtest.Options) *gitlabtest.Running {
	t.Helper()
	s := start(t, o)
	s.Update(func(w *gitlabtest.World) {
		manual, _, _ := w.Job(5402)
		ran, _, _ := w.Job(5401)
		ran.Inputs, ran.GivenInputs = maps.Clone(manual.Inputs), map[string]any{"target": "production"}
		target := ran.Inputs["target"]
		target.Options, target.Regex = nil, "^[a-z]+$"
		ran.Inputs["target"] = target
		ran.Inputs["regions"] = gitlabtest.Input{Type: "array", Default: []any{"eu"}}
	})
	return s
}

// given returns a job's inputs and variables after it was played or retried.
func given(s *gitlabtest.Running, id int64) (inputs map[string]any, variables map[string]string) {
	s.Update(func(w *gitlabtest.World) {
		job, _, _ := w.Job(id)
		inputs, variables = maps.Clone(job.GivenInputs), maps.Clone(job.Variables)
	})
	return inputs, variables
}

// TestJobInputs sends job_inputs as JSON, with types, and as a form, with strings:
// https://docs.gitlab.com/api/jobs/#run-a-job. Inputs that equal a default are omitted.
func TestJobInputs(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		body string
		want map[string]any // of the played job
	}{
		{``, nil},
		{`{}`, nil},
		{`{"job_inputs":{}}`, nil},
		{`{"job_inputs":{"target":"production"}}`, map[string]any{"target": "production"}},
		{`{"job_inputs":{"target":"staging"}}`, map[string]any{}},
		{`{"job_inputs":{"target":"staging","replicas":5,"verbose":true}}`, map[string]any{"replicas": 5.0, "verbose": true}},
		{`job_inputs[target]=production`, map[string]any{"target": "production"}},
		{`job_inputs%5Btarget%5D=staging`, map[string]any{}},
	} {
		s := inputServer(t, gitlabtest.Options{Version: "18.10"})
		if got := do(t, "POST", s.APIURL+"/projects/5/jobs/5402/play", tt.body, credentials["private"]...); got.status != 200 {
			t.Errorf("play with %s: %d %s", tt.body, got.status, got.body)
		}
		if got, _ := given(s, 5402); !maps.Equal(got, tt.want) {
			t.Errorf("play with %s: %v, want %v", tt.body, got, tt.want)
		}
		if got := do(t, "POST", s.APIURL+"/projects/5/jobs/5401/retry", tt.body, credentials["private"]...); got.status != 201 {
			t.Errorf("retry with %s: %d %s", tt.body, got.status, got.body)
		}
		want := tt.want
		if want == nil { // the previous ones
			want = map[string]any{"target": "production"}
		}
		if got, _ := given(s, 6000); !maps.Equal(got, want) {
			t.Errorf("retry with %s: %v, want %v", tt.body, got, want)
		}
	}
}

// Together with variables, for a job that declares no inputs, and on a version that
// ignores them.
func TestJobInputsBeside(t *testing.T) {
	t.Parallel()
	const both = `{"job_variables_attributes":[{"key":"A","value":"1"}],"job_inputs":{"target":"production"}}`
	s := inputServer(t, gitlabtest.Options{})
	do(t, "POST", s.APIURL+"/projects/5/jobs/5402/play", both, credentials["private"]...)
	if inputs, variables := given(s, 5402); inputs["target"] != "production" || variables["A"] != "1" {
		t.Errorf("beside variables: %v, %v", inputs, variables)
	}
	if got := do(t, "POST", s.APIURL+"/projects/5/jobs/5404/play", `{"job_inputs":{"any":[1]}}`, credentials["private"]...); got.status != 200 {
		t.Errorf("a job that declares none: %d %s", got.status, got.body)
	}
	if inputs, _ := given(s, 5404); inputs["any"] == nil {
		t.Errorf("a job that declares none: %v", inputs)
	}
	for _, version := range []string{"18.9", "17.0"} {
		s := inputServer(t, gitlabtest.Options{Version: version})
		for _, body := range []string{both, `{"job_inputs":{"unknown":1}}`, `{"job_inputs":7}`} {
			s.Update(func(w *gitlabtest.World) { job, _, _ := w.Job(5402); job.Status = "manual" })
			if got := do(t, "POST", s.APIURL+"/projects/5/jobs/5402/play", body, credentials["private"]...); got.status != 200 {
				t.Errorf("%s with %s: %d %s", version, body, got.status, got.body)
			}
		}
		if inputs, variables := given(s, 5402); len(inputs) != 0 || variables["A"] != "1" {
			t.Errorf("%s: %v, %v", version, inputs, variables)
		}
	}
}

// app/services/ci/inputs/processor_service.rb refuses inputs that the job doesn't
// declare, then those that lib/ci/inputs refuses. The job isn't played.
func TestJobInputsRefused(t *testing.T) {
	t.Parallel()
	refused := func(reason string) string { return `{"message":"400 Bad request - ` + reason + `"}` }
	s := inputServer(t, gitlabtest.Options{})
	for body, want := range map[string]string{
		`{"job_inputs":{"tarket":"production"}}`:         refused("Unknown input: tarket"),
		`{"job_inputs":{"a":1,"b":2,"target":"x"}}`:      refused("Unknown inputs: a, b"),
		`{"job_inputs":{"replicas":"5"}}`:                refused("`replicas` input: provided value is not a number"),
		`{"job_inputs":{"verbose":"true"}}`:              refused("`verbose` input: provided value is not a boolean"),
		`{"job_inputs":{"verbose":1}}`:                   refused("`verbose` input: provided value is not a boolean"),
		`{"job_inputs":{"target":false}}`:                refused("`target` input: provided value is not a string"),
		`{"job_inputs":{"target":["a"]}}`:                refused("`target` input: provided value is not a string"),
		`{"job_inputs":{"replicas":true,"verbose":"x"}}`: refused("`replicas` input: provided value is not a number, `verbose` input: provided value is not a boolean"),
		`job_inputs[replicas]=5`:                         refused("`replicas` input: provided value is not a number"), // forms contain strings
		`{"job_inputs":"target"}`:                        `{"error":"job_inputs is invalid"}`,
		`{"job_inputs":[1]}`:                             `{"error":"job_inputs is invalid"}`,
		`job_inputs=target`:                              `{"error":"job_inputs is invalid"}`,
	} {
		for _, action := range []string{"5402/play", "5401/retry"} {
			if got := do(t, "POST", s.APIURL+"/projects/5/jobs/"+action, body, credentials["private"]...); got.status != 400 || got.body != want {
				t.Errorf("%s with %s: %d %s, want %s", action, body, got.status, got.body, want)
			}
		}
	}
	for action, want := range map[string]string{ // only one of the two declares it
		"5402/play {\"job_inputs\":{\"target\":\"moon\"}}":  refused("`target` input: `moon` cannot be used because it is not in the list of allowed options"),
		"5401/retry {\"job_inputs\":{\"target\":\"Moon\"}}": refused("`target` input: provided value does not match required RegEx pattern"),
		"5401/retry {\"job_inputs\":{\"regions\":\"us\"}}":  refused("`regions` input: provided value is not an array"),
	} {
		path, body, _ := strings.Cut(action, " ")
		if got := do(t, "POST", s.APIURL+"/projects/5/jobs/"+path, body, credentials["private"]...); got.status != 400 || got.body != want {
			t.Errorf("%s: %d %s, want %s", action, got.status, got.body, want)
		}
	}
	if got := ask(t, s.APIURL+"/projects/5/jobs/5402", credentials["private"]...); !strings.Contains(got.body, `"status":"manual"`) {
		t.Errorf("it was played: %s", got.body)
	}
	s.Update(func(w *gitlabtest.World) {
		for _, id := range []int64{5401, 5402} {
			job, _, _ := w.Job(id)
			job.Archived = true
		}
	})
	for _, action := range []string{"5402/play", "5401/retry"} {
		if got := do(t, "POST", s.APIURL+"/projects/5/jobs/"+action, "", credentials["private"]...); got.status != 403 {
			t.Errorf("an archived job, %s: %d %s", action, got.status, got.body)
		}
	}
}
