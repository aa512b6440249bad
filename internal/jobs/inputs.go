package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// inputsSince is the first version of GitLab that accepts inputs when jobs are played or
// retried. Older ones ignore them: https://docs.gitlab.com/ci/jobs/job_inputs/
const inputsSince = "18.10"

// OldServerError reports a server that ignores job inputs.
type OldServerError struct{ Version string }

// Error implements error.
func (e *OldServerError) Error() string {
	return fmt.Sprintf("job inputs need GitLab %s; this is %s", inputsSince, e.Version)
}

// Hint says what to do next.
func (*OldServerError) Hint() string {
	return "nothing was started; a job that is played takes variables instead"
}

// takesInputs returns an [*OldServerError] if there are inputs and GitLab ignores them.
func (c *Client) takesInputs(ctx context.Context, inputs map[string]string) error {
	if len(inputs) == 0 {
		return nil
	}
	hello, err := c.API.Greet(ctx)
	if err == nil && gitlab.Older(hello.Version, inputsSince) {
		err = &OldServerError{hello.Version}
	}
	return err
}

// withInputs starts a job with inputs. They are sent as text first. If GitLab refuses one
// because of its type, which only the job's configuration defines, it is sent again as
// JSON of that type.
func withInputs(given map[string]string, start func(map[string]any) (gitlab.Job, error)) (gitlab.Job, error) {
	inputs := make(map[string]any, len(given))
	for name, value := range given {
		inputs[name] = value
	}
	for {
		job, err := start(inputs)
		if !retyped(inputs, err) {
			return job, err
		}
	}
}

// wrongType matches GitLab's message about an input of the wrong type: lib/ci/inputs in
// its source.
var wrongType = regexp.MustCompile("`([^`]+)` input: provided value is not an? (number|boolean|array)")

// retyped converts inputs to the types that GitLab requires, and reports whether any
// changes.
func retyped(inputs map[string]any, err error) bool {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	if !ok || refusal.FromStorage || refusal.StatusCode != http.StatusBadRequest {
		return false
	}
	changed := false
	for _, m := range wrongType.FindAllStringSubmatch(refusal.Message, -1) {
		text, isText := inputs[m[1]].(string)
		if isText && jsonType(text) == m[2] {
			inputs[m[1]], changed = json.RawMessage(text), true
		}
	}
	return changed
}

// jsonType returns the type of a JSON value by its name for inputs, or "".
func jsonType(text string) string {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return ""
	}
	switch v.(type) {
	case float64:
		return "number"
	case bool:
		return "boolean"
	case []any:
		return "array"
	}
	return ""
}
