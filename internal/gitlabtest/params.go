package gitlabtest

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

// How Grape validates parameters (https://github.com/ruby-grape/grape): each
// checks one, and answers itself, returning false, if it does not validate.

// oneOf is "values:".
func oneOf(w http.ResponseWriter, query url.Values, name string, values []string) bool {
	if query.Has(name) && !slices.Contains(values, query.Get(name)) {
		invalid(w, name+" does not have a valid value")
		return false
	}
	return true
}

// booleans are what dry-types takes for Params::Bool.
var booleans = map[string]bool{
	"1": true, "on": true, "t": true, "true": true, "y": true, "yes": true,
	"0": false, "off": false, "f": false, "false": false, "n": false, "no": false,
}

// boolean is "type: Boolean". A parameter without a value is none.
func boolean(w http.ResponseWriter, query url.Values, name string) (value, ok bool) {
	given := query.Get(name)
	value, ok = booleans[strings.ToLower(given)]
	if given != "" && !ok {
		invalid(w, name+" is invalid")
		return false, false
	}
	return value, true
}

// integers is "type: Integer".
func integers(w http.ResponseWriter, query url.Values, names ...string) bool {
	for _, name := range names {
		if _, err := strconv.Atoi(query.Get(name)); query.Get(name) != "" && err != nil {
			invalid(w, name+" is invalid")
			return false
		}
	}
	return true
}

// moments is "type: DateTime".
func moments(w http.ResponseWriter, query url.Values, names ...string) bool {
	for _, name := range names {
		if _, err := world.Moment(query.Get(name)); query.Get(name) != "" && err != nil {
			invalid(w, name+" is invalid")
			return false
		}
	}
	return true
}

// scope reads scope of a list of jobs, which may be one status, an array or a hash
// of them: optional_scope in lib/api/ci/jobs.rb.
func (c *call) scope() ([]string, bool) {
	var scope []string
	query := c.r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if name == "scope" || strings.HasPrefix(name, "scope[") && strings.HasSuffix(name, "]") {
			scope = append(scope, query[name]...)
		}
	}
	for _, status := range scope {
		if !slices.Contains(world.Statuses, status) {
			invalid(c.w, "scope does not have a valid value")
			return nil, false
		}
	}
	return scope, true
}

// body is the parameters of the address and of the body, a form or JSON. Of JSON,
// object is what it was.
func (c *call) body() (values url.Values, object map[string]any, ok bool) {
	values = c.r.URL.Query()
	content, _ := io.ReadAll(c.r.Body) // of what was read already
	c.r.Body = io.NopCloser(bytes.NewReader(content))
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if kind != "application/json" {
		form, _ := url.ParseQuery(string(content)) // no form has no values
		maps.Copy(values, form)
		return values, nil, true
	}
	if len(content) > 0 && json.Unmarshal(content, &object) != nil {
		message(c.w, http.StatusBadRequest, "400 Bad request") // Grape's wording differs with the parser's
		return nil, nil, false
	}
	for name, value := range object {
		flatten(values, name, value)
	}
	return values, object, true
}

// flatten writes JSON as Rails writes it into a form.
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
