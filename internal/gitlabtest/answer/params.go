package answer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// These functions validate parameters as Grape does
// (https://github.com/ruby-grape/grape). If one is invalid, they write the answer and
// return false.

// OneOf is "values:": the parameter may be missing, or has one of these values.
func OneOf(w http.ResponseWriter, query url.Values, name string, values []string) bool {
	if query.Has(name) && !slices.Contains(values, query.Get(name)) {
		Invalid(w, name+" does not have a valid value")
		return false
	}
	return true
}

// booleans are the values that dry-types accepts for Params::Bool.
var booleans = map[string]bool{
	"1": true, "on": true, "t": true, "true": true, "y": true, "yes": true,
	"0": false, "off": false, "f": false, "false": false, "n": false, "no": false,
}

// Boolean is "type: Boolean". An empty value counts as false.
func Boolean(w http.ResponseWriter, query url.Values, name string) (value, ok bool) {
	given := query.Get(name)
	value, ok = booleans[strings.ToLower(given)]
	if given != "" && !ok {
		Invalid(w, name+" is invalid")
		return false, false
	}
	return value, true
}

// Integers is "type: Integer".
func Integers(w http.ResponseWriter, query url.Values, names ...string) bool {
	for _, name := range names {
		if _, err := strconv.Atoi(query.Get(name)); query.Get(name) != "" && err != nil {
			Invalid(w, name+" is invalid")
			return false
		}
	}
	return true
}

// Moments is "type: DateTime".
func Moments(w http.ResponseWriter, query url.Values, names ...string) bool {
	for _, name := range names {
		if _, err := world.Moment(query.Get(name)); query.Get(name) != "" && err != nil {
			Invalid(w, name+" is invalid")
			return false
		}
	}
	return true
}

// JobScope reads the parameter scope of a list of jobs: one status, an array or a hash
// of them (optional_scope in lib/api/ci/jobs.rb).
func JobScope(w http.ResponseWriter, query url.Values) ([]string, bool) {
	var scope []string
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if name == "scope" || strings.HasPrefix(name, "scope[") && strings.HasSuffix(name, "]") {
			scope = append(scope, query[name]...)
		}
	}
	for _, status := range scope {
		if !slices.Contains(world.Statuses, status) {
			Invalid(w, "scope does not have a valid value")
			return nil, false
		}
	}
	return scope, true
}

// Parameters reads the parameters in the query and in the body, which is a form or
// JSON. object is the JSON with its types.
func Parameters(w http.ResponseWriter, r *http.Request) (values url.Values, object map[string]any, ok bool) {
	values = r.URL.Query()
	content, _ := io.ReadAll(r.Body) // it has been read into memory before
	r.Body = io.NopCloser(bytes.NewReader(content))
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/json" {
		form, _ := url.ParseQuery(string(content)) // invalid pairs are ignored
		maps.Copy(values, form)
		return values, nil, true
	}
	if len(content) > 0 && json.Unmarshal(content, &object) != nil {
		Message(w, http.StatusBadRequest, "400 Bad request") // Grape adds the parser's own words
		return nil, nil, false
	}
	for name, value := range object {
		flatten(values, name, value)
	}
	return values, object, true
}

// flatten adds a JSON value under the names that Rails uses in forms.
func flatten(values url.Values, name string, value any) {
	switch value := value.(type) {
	case []any:
		for _, one := range value {
			flatten(values, name+"[]", one)
		}
	case map[string]any:
		for key, one := range value {
			flatten(values, name+"["+key+"]", one)
		}
	case nil:
	default:
		values.Add(name, fmt.Sprint(value))
	}
}

// Positive parses a number. If it is less than 1 or not a number, it returns otherwise.
func Positive(value string, otherwise int) int {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 {
		return otherwise
	}
	return n
}
