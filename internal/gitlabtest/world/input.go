package world

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Input is a declared job input.
// https://docs.gitlab.com/ci/jobs/job_inputs/#input-configuration
type Input struct {
	Type    string // "number", "boolean" or "array"; empty means "string"
	Default any
	Options []any
	Regex   string
}

// GiveInputs checks the inputs for playing or retrying a job, and returns those that
// differ from their defaults, as app/services/ci/inputs/processor_service.rb does. A job
// that declares no inputs accepts any.
func (j *Job) GiveInputs(given map[string]any) (map[string]any, error) {
	if len(given) == 0 || len(j.Inputs) == 0 {
		return given, nil
	}
	var unknown, wrong []string
	kept := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		spec, known := j.Inputs[name]
		if !known {
			unknown = append(unknown, name)
			continue
		}
		if err := spec.check(given[name]); err != nil {
			wrong = append(wrong, fmt.Sprintf("`%s` input: %v", name, err))
		}
		if !reflect.DeepEqual(spec.Default, given[name]) {
			kept[name] = given[name]
		}
	}
	if len(unknown) > 0 {
		problem := "Unknown input"
		if len(unknown) > 1 {
			problem += "s"
		}
		return nil, errors.New(problem + ": " + strings.Join(unknown, ", "))
	}
	if len(wrong) > 0 {
		return nil, errors.New(strings.Join(wrong, ", "))
	}
	return kept, nil
}

// check is lib/ci/pipeline_creation/inputs: it checks the value's type, options and
// pattern.
func (i Input) check(value any) error {
	switch value.(type) {
	case string:
		if i.Type != "" && i.Type != "string" {
			return fmt.Errorf("provided value is not %s", article(i.Type))
		}
	case float64:
		if i.Type != "number" {
			return fmt.Errorf("provided value is not %s", article(i.Type))
		}
	case bool:
		if i.Type != "boolean" {
			return fmt.Errorf("provided value is not %s", article(i.Type))
		}
	default:
		if i.Type != "array" {
			return fmt.Errorf("provided value is not %s", article(i.Type))
		}
	}
	if len(i.Options) > 0 && !slices.ContainsFunc(i.Options, func(o any) bool { return reflect.DeepEqual(o, value) }) {
		return fmt.Errorf("`%v` cannot be used because it is not in the list of allowed options", value)
	}
	text, isText := value.(string)
	if pattern, err := regexp.Compile(i.Regex); i.Regex != "" && isText && err == nil && !pattern.MatchString(text) {
		return errors.New("provided value does not match required RegEx pattern")
	}
	return nil
}

func article(kind string) string {
	switch kind {
	case "array":
		return "an array"
	case "":
		return "a string"
	}
	return "a " + kind
}
