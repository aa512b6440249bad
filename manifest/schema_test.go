package manifest_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"gitlab.com/artifetch/artifetch/manifest"
)

var update = flag.Bool("update", false, "rewrite the schema")

// schema is made from the Go types.
func schema(t *testing.T) []byte {
	t.Helper()
	r := &jsonschema.Reflector{FieldNameTag: "yaml", ExpandedStruct: true, RequiredFromJSONSchemaTags: true}
	s := r.Reflect(&manifest.Manifest{})
	s.Title, s.Version, s.ID = "artifetch.yml", "https://json-schema.org/draft/2020-12/schema", ""
	s.Required = []string{"version", "sources"}
	describe(s, reflect.TypeFor[manifest.Manifest]())
	for name, kind := range map[string]reflect.Type{"Source": reflect.TypeFor[manifest.Source](), "Query": reflect.TypeFor[manifest.Query]()} {
		describe(s.Definitions[name], kind)
	}
	s.Definitions["Source"].Required = []string{"name"}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

// describe takes what keys mean from the tags, and lets one text stand for a list.
func describe(s *jsonschema.Schema, kind reflect.Type) {
	for i := range kind.NumField() {
		f := kind.Field(i)
		if f.Anonymous {
			describe(s, f.Type)
			continue
		}
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		property, ok := s.Properties.Get(key)
		if !ok {
			continue
		}
		property.Description = f.Tag.Get("doc")
		switch {
		case f.Type == reflect.TypeFor[[]string]():
			property.OneOf = []*jsonschema.Schema{{Type: "string"}, {Type: "array", Items: property.Items}}
			property.Type, property.Items = "", nil
		case key == "if-missing":
			property.Enum = []any{"fail", "warn", "ignore"}
		case key == "pipeline":
			property.OneOf, property.Type = []*jsonschema.Schema{{Type: "string"}, {Type: "integer"}}, ""
		case key == "version":
			property.Const = manifest.Version
		}
	}
}

// The schema that is shipped is that of the types, and says of manifests what the
// program says, as far as a schema can.
func TestSchema(t *testing.T) {
	t.Parallel()
	file := filepath.Join("..", "docs", "artifetch.schema.json")
	want := schema(t)
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil { //nolint:gosec // to be read
			t.Fatal(err)
		}
	}
	shipped, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(shipped, want) {
		t.Fatalf("docs/artifetch.schema.json is not made from the types (%v): go test ./manifest -update", err)
	}
	doc, err := validator.UnmarshalJSON(bytes.NewReader(shipped))
	if err != nil {
		t.Fatal(err)
	}
	c := validator.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for text, valid := range map[string]bool{
		"version: 1\nsources:\n  - {name: a, project: p, job: b, ref: c, paths: d, exclude: [e], pipeline: latest, any-status: true}\n": true,
		"version: 1\ndefaults: {project: a, if-missing: warn}\nsources: [{name: a, job: b, ref: c}]\n":                                  true,
		"version: 1\nsources: [{name: a, project: p, job: b, ref: [c, '@default']}]\n":                                                  true,
		"version: 2\nsources: [{name: a, job: b, ref: c}]\n":                                                                            false,
		"sources: [{name: a, job: b, ref: c}]\n":                                                                                        false,
		"version: 1\n":                                                                                                                  false,
		"version: 1\nsources: [{job: b, ref: c}]\n":                                                                                     false,
		"version: 1\nsources: [{name: a, jbo: b, ref: c}]\n":                                                                            false,
		"version: 1\nsources: [{name: a, job: [b], ref: c}]\n":                                                                          false,
		"version: 1\nsources: [{name: a, job: b, ref: c, if-missing: no}]\n":                                                            false,
		"version: 1\nsource: []\nsources: [{name: a, job: b, ref: c}]\n":                                                                false,
	} {
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(value); (err == nil) != valid {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := read(text); (err == nil) != valid {
			t.Errorf("%s: the program says %v", text, err)
		}
	}
}
