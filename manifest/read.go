package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"gitlab.com/artifetch/artifetch/internal/similar"
)

// Error is a mistake in a manifest.
type Error struct {
	File         string
	Line, Column int // from 1; 0 if the mistake concerns the whole file
	What, Fix    string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.What
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.What)
}

// Hint says what to do next.
func (e *Error) Hint() string { return e.Fix }

// Read reads a manifest, YAML or JSON. lookup returns the variables in it. Every error is
// an [*Error].
func Read(file string, text []byte, lookup func(string) (string, bool)) (Manifest, error) {
	r := &reader{file: file, lookup: lookup}
	var doc yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return Manifest{}, r.fail(nil, "it is empty", "it begins with version: 1, and sources: with a list below")
	case err != nil:
		return Manifest{}, r.syntax(text, err)
	}
	if d.Decode(new(yaml.Node)) == nil {
		return Manifest{}, r.fail(nil, "it holds several documents", "keep one, and drop the line --- in front of the next")
	}
	var m Manifest
	if err := r.object(doc.Content[0], reflect.ValueOf(&m).Elem()); err != nil {
		return Manifest{}, err
	}
	return m, r.check(&m, doc.Content[0])
}

type reader struct {
	file   string
	lookup func(string) (string, bool)
}

func (r *reader) fail(at *yaml.Node, what, fix string) error {
	e := &Error{File: r.file, What: what, Fix: fix}
	if at != nil {
		e.Line, e.Column = at.Line, at.Column
	}
	return e
}

// object fills a struct from a mapping.
func (r *reader) object(n *yaml.Node, v reflect.Value) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		return r.fail(n, "expected keys, got "+kindOf(n), "write name: value, one per line")
	}
	known := fields(v)
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		field, ok := known[key.Value]
		switch {
		case !ok:
			return r.unknown(key, known)
		case seen[key.Value]:
			return r.fail(key, fmt.Sprintf("key %q is here twice", key.Value), "keep one of them")
		}
		seen[key.Value] = true
		if err := r.value(key.Value, value, field); err != nil {
			return err
		}
	}
	return nil
}

// unknown reports a key that isn't one. It lists those there are, if none is like it.
func (r *reader) unknown(key *yaml.Node, known map[string]field) error {
	if key.Value == "<<" {
		return r.fail(key, "merge keys (<<) aren't supported", "write what all sources share below defaults:")
	}
	near := suggest(key.Value, known)
	fix := "docs/sync.md lists the keys"
	if near == "" {
		fix = "the keys here are " + strings.Join(slices.Sorted(maps.Keys(known)), ", ")
	}
	return r.fail(key, fmt.Sprintf("unknown key %q%s", key.Value, near), fix)
}

type field struct {
	value  reflect.Value
	expand bool
}

// fields returns the fields of a struct by their keys, including embedded ones.
func fields(v reflect.Value) map[string]field {
	known := map[string]field{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			for key, f := range fields(v.Field(i)) {
				known[key] = f
			}
		case key != "":
			known[key] = field{v.Field(i), f.Tag.Get("expand") != ""}
		}
	}
	return known
}

// value fills one field.
func (r *reader) value(key string, n *yaml.Node, f field) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch f.value.Kind() {
	case reflect.Struct:
		return r.object(n, f.value)
	case reflect.Slice:
		return r.list(key, n, f)
	case reflect.String:
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
			return r.fail(n, fmt.Sprintf("%s is %s, not text", key, kindOf(n)), textFix(key, n))
		}
		text, err := r.expand(n, f.expand)
		f.value.SetString(text)
		return err
	}
	if err := n.Decode(f.value.Addr().Interface()); err != nil || n.Tag == "!!null" {
		return r.fail(n, fmt.Sprintf("%s is %s, not %s", key, kindOf(n), wantOf(f.value.Kind())), numberFix(n))
	}
	return nil
}

// numberFix says what to write in place of an address or of text.
func numberFix(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "://"):
		return "write the number in that address"
	case n.Kind == yaml.ScalarNode && n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		return "write it without quotes"
	}
	return ""
}

// textFix says what to write where a string is expected.
func textFix(key string, n *yaml.Node) string {
	switch {
	case n.Kind == yaml.ScalarNode:
		return "give it a value, or leave it out"
	case n.Kind == yaml.SequenceNode && key == "job":
		return "a source is one job: write a source for each"
	}
	return "write a single value, without brackets or dashes"
}

// list fills a list of sources or strings. A single string is a list of one.
func (r *reader) list(key string, n *yaml.Node, f field) error {
	items := n.Content
	switch {
	case n.Tag == "!!null":
		return r.fail(n, key+" is nothing", "give it a value, or leave it out")
	case n.Kind == yaml.ScalarNode && f.value.Type().Elem().Kind() == reflect.String:
		items = []*yaml.Node{n}
	case n.Kind != yaml.SequenceNode:
		return r.fail(n, fmt.Sprintf("%s is %s, not a list", key, kindOf(n)), "write one per line, after a dash")
	}
	for _, item := range items {
		one, what := reflect.New(f.value.Type().Elem()).Elem(), key
		if one.Kind() == reflect.String && n.Kind == yaml.SequenceNode {
			what = "an item of " + key
		}
		if err := r.value(what, item, field{one, f.expand}); err != nil {
			return err
		}
		if s, ok := one.Addr().Interface().(*Source); ok {
			s.line, s.column, s.given = item.Line, item.Column, keysOf(item)
		}
		f.value.Set(reflect.Append(f.value, one))
	}
	return nil
}

// keysOf returns the keys of a mapping.
func keysOf(n *yaml.Node) map[string]bool {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	keys := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		keys[n.Content[i].Value] = true
	}
	return keys
}

func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	}
	return fmt.Sprintf("%q", n.Value)
}

func wantOf(k reflect.Kind) string {
	if k == reflect.Bool {
		return "true or false"
	}
	return "a number"
}

// suggest returns the key most similar to a wrong one.
func suggest(wrong string, known map[string]field) string {
	near := similar.Names(wrong, slices.Collect(maps.Keys(known)), 1)
	if len(near) == 0 {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", near[0])
}

// Keys returns the keys of a source. A query's keys have the names of flags.
func Keys() []string { return slices.Collect(maps.Keys(fields(reflect.ValueOf(new(Source)).Elem()))) }
