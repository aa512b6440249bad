package jobs

import (
	"bytes"
	"encoding/json"
	"reflect"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// Whole returns a job in JSON: the object that GitLab sent, with every field, known or
// not, followed by the fields of its [Row] that are missing or have another type. If a
// field occurs twice, the last one counts. The job must have its Raw.
func Whole(j gitlab.Job) (json.RawMessage, error) {
	var row map[string]json.RawMessage
	known, err := json.Marshal(NewRow(j))
	if err == nil {
		err = json.Unmarshal(known, &row)
	}
	if err != nil {
		return nil, err
	}
	names, sent, err := fields(j.Raw)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, name := range names {
		if of, ok := rowTypes[name]; !ok || fitsType(sent[name], of) {
			delete(row, name)
			appendField(&b, name, sent[name])
		}
	}
	if added, err := json.Marshal(row); err != nil {
		return nil, err
	} else if len(row) > 0 {
		b.WriteByte(',')
		b.Write(added[1 : len(added)-1])
	}
	return json.RawMessage("{" + string(bytes.TrimPrefix(b.Bytes(), []byte(","))) + "}"), nil
}

// fields returns the names in a JSON object, each once, and their values.
func fields(object []byte) (names []string, values map[string]json.RawMessage, err error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err = d.Token(); err != nil { // {
		return nil, nil, err
	}
	values = map[string]json.RawMessage{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, nil, err
		}
		name, _ := token.(string) // the names of an object are
		if _, twice := values[name]; !twice {
			names = append(names, name)
		}
		values[name] = value
	}
	return names, values, nil
}

func appendField(b *bytes.Buffer, name string, value json.RawMessage) {
	b.WriteByte(',')
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(name)      // a string can be encoded
	b.Truncate(b.Len() - 1) // without its line break
	b.WriteByte(':')
	b.Write(value)
}

// rowTypes are the types of the fields of a [Row], by their names in JSON.
var rowTypes = func() map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for field := range reflect.TypeFor[Row]().Fields() {
		types[field.Tag.Get("json")] = field.Type
	}
	return types
}()

// fitsType reports whether a value has the type of a field. Only a pointer may be null.
func fitsType(value json.RawMessage, of reflect.Type) bool {
	if string(value) == "null" {
		return of.Kind() == reflect.Pointer
	}
	return json.Unmarshal(value, reflect.New(of).Interface()) == nil
}
