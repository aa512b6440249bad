package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Asked is what the manifest asked for when a source was locked: its keys, including
// defaults, as a JSON object with sorted keys. In lock files of version 1 it is a
// fingerprint.
type Asked string

// MarshalJSON implements [json.Marshaler].
func (a Asked) MarshalJSON() ([]byte, error) {
	if a.keys() != nil {
		return []byte(a), nil
	}
	return json.Marshal(string(a))
}

// UnmarshalJSON implements [json.Unmarshaler]. It sorts the keys: a person who merges
// lock files may have changed their order.
func (a *Asked) UnmarshalJSON(text []byte) error {
	if keys := Asked(text).keys(); keys != nil {
		*a = askedFor(keys)
		return nil
	}
	return json.Unmarshal(text, (*string)(a))
}

// keys returns the keys and their values, or nil if there is only a fingerprint.
func (a Asked) keys() (keys map[string]any) {
	d := json.NewDecoder(strings.NewReader(string(a)))
	d.UseNumber() // job IDs may not fit into a float64
	_ = d.Decode(&keys)
	return keys
}

func askedFor(keys map[string]any) Asked {
	var b bytes.Buffer
	_ = encode(&b, keys, "", "") // numbers, booleans and strings can always be encoded
	return Asked(b.String())
}

// Asked returns what the source asks for.
func (s Source) Asked() Asked { return askedFor(given(s.Query)) }

// IsFor reports whether an entry was locked for the source's current keys.
func (l Locked) IsFor(s Source) bool {
	return l.Asked == s.Asked() || l.Asked == Asked(s.Fingerprint()) || len(s.Ref) <= 1 && l.Asked == Asked(s.Query.first())
}

// Difference says, with the keys of the manifest, how a source differs from what was
// locked, such as "ref main → next, job build → package".
func (l Locked) Difference(s Source) string {
	was, now := l.Asked.keys(), s.Asked().keys()
	if was == nil {
		return "changed since it was locked"
	}
	keys := maps.Clone(was)
	maps.Copy(keys, now)
	var changes []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !reflect.DeepEqual(was[key], now[key]) {
			changes = append(changes, key+" "+inWords(was[key])+" → "+inWords(now[key]))
		}
	}
	return strings.Join(changes, ", ")
}

func inWords(value any) string {
	list, ok := value.([]any)
	switch {
	case value == nil:
		return "(none)"
	case !ok:
		return fmt.Sprint(value)
	}
	words := make([]string, len(list))
	for i := range list {
		words[i] = fmt.Sprint(list[i])
	}
	return strings.Join(words, ", ")
}
