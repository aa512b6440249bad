package manifest

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Add returns the text of a manifest with one more source at the end of its list.
// Everything else stays unchanged, including comments and formatting. The defaults supply
// what the source omits. Errors are [*Error].
func Add(file string, text []byte, s Source, lookup func(string) (string, bool)) ([]byte, error) {
	m, err := Read(file, text, lookup)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(m.Sources, func(known Source) bool { return known.Name == s.Name }) {
		return nil, &Error{File: file, What: fmt.Sprintf("there is already a source called %q", s.Name), Fix: "change it in the file, or remove it first"}
	}
	pairs := s.pairs(m.Defaults)
	if err := s.settle(m.Defaults, pairs); err != nil {
		err.File = file
		return nil, err
	}
	edited, err := change(text, func(t *written) ([]byte, error) { return t.add(pairs) })
	if err == nil {
		err = sameSources(file, edited, lookup, append(m.Sources, s))
	}
	if err != nil {
		line, _ := encodePairs(pairs, yaml.FlowStyle) // strings, numbers and booleans can always be encoded
		return nil, uneditable(file, text, -1, "add this to it yourself: - "+strings.TrimSpace(string(line)))
	}
	return edited, nil
}

// Remove returns the text of a manifest without some of its sources, and without the
// comments directly above them. Everything else stays. Errors are [*Error].
func Remove(file string, text []byte, names []string, lookup func(string) (string, bool)) ([]byte, error) {
	m, err := Read(file, text, lookup)
	if err != nil {
		return nil, err
	}
	for _, name := range names { // before any is removed, to list them all
		if m.index(name) < 0 {
			return nil, &Error{File: file, What: fmt.Sprintf("there is no source called %q", name), Fix: hasSources(m)}
		}
	}
	for len(names) > 0 {
		at := m.index(names[0])
		if at < 0 {
			names = names[1:] // it was named twice
			continue
		}
		m.Sources, names = slices.Delete(m.Sources, at, at+1), names[1:]
		edited, err := change(text, func(t *written) ([]byte, error) { return t.remove(at) })
		if err == nil {
			err = sameSources(file, edited, lookup, m.Sources)
		}
		if err != nil {
			return nil, uneditable(file, text, at, "remove the source from it yourself, and run sync")
		}
		text = edited
	}
	return text, nil
}

// index returns the position of a source, or -1.
func (m Manifest) index(name string) int {
	return slices.IndexFunc(m.Sources, func(s Source) bool { return s.Name == name })
}

// uneditable returns the error for a list of sources that can't be edited. If an anchor is
// the reason, it names that: one in the source with the index at that is used elsewhere,
// or else one of the list.
func uneditable(file string, text []byte, at int, fix string) error {
	e := &Error{File: file, What: "its list of sources is written in a form that can't be edited", Fix: fix}
	t, err := locate(text)
	if err != nil || t.list == nil {
		return e
	}
	e.Line, e.Column = t.key.Line, t.key.Column
	switch list := t.list; {
	case list.Kind == yaml.AliasNode:
		e.What += ": it is the alias *" + list.Value
	case list.Anchor != "":
		e.What += ": it has the anchor &" + list.Anchor
	case at >= 0 && at < len(list.Content):
		if a := sharedAnchor(t.root, list.Content[at]); a != nil {
			e.Line, e.Column = a.Line, a.Column
			e.What = fmt.Sprintf("the source has the anchor &%s, which is used elsewhere (*%s)", a.Anchor, a.Anchor)
		}
	}
	return e
}

// sharedAnchor returns a node in source that has an anchor to which something else in root
// refers, or nil.
func sharedAnchor(root, source *yaml.Node) *yaml.Node {
	used := map[*yaml.Node]bool{}
	var find func(n *yaml.Node, see func(*yaml.Node))
	find = func(n *yaml.Node, see func(*yaml.Node)) {
		see(n)
		for _, c := range n.Content {
			if c != source {
				find(c, see)
			}
		}
	}
	find(root, func(n *yaml.Node) {
		if n.Kind == yaml.AliasNode {
			used[n.Alias] = true
		}
	})
	var shared *yaml.Node
	find(source, func(n *yaml.Node) {
		if n.Anchor != "" && used[n] && shared == nil {
			shared = n
		}
	})
	return shared
}

// change edits a text that [Read] has accepted.
func change(text []byte, edit func(*written) ([]byte, error)) ([]byte, error) {
	t, err := parse(text)
	if err != nil {
		return nil, err
	}
	return edit(t)
}

// hasSources lists a manifest's sources for a message.
func hasSources(m Manifest) string {
	if len(m.Sources) == 0 {
		return "it has no sources"
	}
	var names []string
	for _, s := range m.Sources {
		names = append(names, s.Name)
	}
	return "its sources are " + strings.Join(names, ", ")
}

// sameSources checks that an edited text has the expected sources.
func sameSources(file string, text []byte, lookup func(string) (string, bool), want []Source) error {
	m, err := Read(file, text, lookup)
	if err != nil {
		return err
	}
	same := func(a, b Source) bool { return a.Name == b.Name && a.Asked() == b.Asked() }
	if !slices.EqualFunc(m.Sources, want, same) {
		return errForm
	}
	return nil
}

// settle checks a source that is being added, and applies the defaults.
func (s *Source) settle(defaults Query, pairs []pair) *Error {
	s.given = map[string]bool{}
	for _, p := range pairs {
		s.given[p.key] = true
	}
	s.Query = s.over(defaults)
	if what, fix := s.mistake(); what != "" {
		return &Error{What: what, Fix: fix}
	}
	return nil
}

// pair is a key of a manifest with its value.
type pair struct {
	key   string
	value any
}

// pairs returns a source's keys for a manifest: those that are set, and empty ones where
// a default would contradict them.
func (s Source) pairs(defaults Query) []pair {
	pairs := []pair{{"name", s.Name}}
	v, d := reflect.ValueOf(s.Query), reflect.ValueOf(defaults)
	for i := range v.NumField() {
		key, value := keyOf(v.Type().Field(i)), v.Field(i)
		list := value.Kind() == reflect.Slice
		switch {
		case value.IsZero() && (d.Field(i).IsZero() || !s.excludes(key)):
		case list && value.Len() == 0:
			pairs = append(pairs, pair{key, ""})
		case list && value.Len() == 1:
			pairs = append(pairs, pair{key, value.Index(0).Interface()})
		default:
			pairs = append(pairs, pair{key, value.Interface()})
		}
	}
	return pairs
}

// excludes reports whether a source can't have another key because of the one that
// selects its job or pipeline.
func (s Source) excludes(key string) bool {
	switch key {
	case "ref", "job", "require-success":
		return s.JobID != 0
	case "job-id", "pipeline", "sha", "mr":
		return s.JobID != 0 || s.Pipeline != "" || s.SHA != "" || s.MR != 0
	}
	return false
}

// encodePairs writes keys as YAML.
func encodePairs(pairs []pair, style yaml.Style) ([]byte, error) {
	n := &yaml.Node{Kind: yaml.MappingNode, Style: style}
	for _, p := range pairs {
		key, value := new(yaml.Node), new(yaml.Node)
		if err := key.Encode(p.key); err != nil {
			return nil, err
		}
		if err := value.Encode(p.value); err != nil {
			return nil, err
		}
		if value.Kind == yaml.SequenceNode {
			value.Style = yaml.FlowStyle
		}
		n.Content = append(n.Content, key, value)
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	err := e.Encode(n)
	return b.Bytes(), err
}
