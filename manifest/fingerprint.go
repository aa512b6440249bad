package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Fingerprint replaces [Source.Asked] in lock files of version 1: a hash of the given
// keys by their names in the manifest. Keys that a later version adds don't change the
// hash for manifests without them.
func (s Source) Fingerprint() string { return fingerprint(s.Query) }

// fingerprint returns the fingerprint of a struct with keys of a manifest.
func fingerprint(keys any) string {
	text, err := json.Marshal(given(keys)) // sorts the keys
	if err != nil {
		return "" // numbers, booleans and strings can always be encoded
	}
	return short(text)
}

// given returns the keys of a manifest that a struct has. A zero value counts as missing.
func given(keys any) map[string]any {
	given := map[string]any{}
	v := reflect.ValueOf(keys)
	for i := range v.NumField() {
		if f := v.Field(i); !f.IsZero() && (f.Kind() != reflect.Slice || f.Len() > 0) {
			key := keyOf(v.Type().Field(i))
			given[key] = f.Interface()
			if key == "ref" && f.Kind() == reflect.Slice && f.Len() == 1 {
				given[key] = f.Index(0).Interface() // in the form from when only one was possible
			}
		}
	}
	return given
}

func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return key
}

func short(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// first is the fingerprint in the first lock files: Go's own format of the struct at that
// time, which every new field changed. Such lock files remain valid; sync rewrites them.
func (q Query) first() string {
	ref := strings.Join(q.Ref, "") // at most one is possible
	return short(fmt.Appendf(nil, "manifest.Query{Project:%#v, Ref:%#v, Job:%#v, JobID:%#v, Pipeline:%#v, SHA:%#v, MR:%#v, Recent:%#v, AnyStatus:%#v, Downstream:%#v, "+
		"Paths:%#v, Exclude:%#v, Output:%#v, StripComponents:%#v, Flat:%#v, IfMissing:%#v, SHA256:%#v}",
		q.Project, ref, q.Job, q.JobID, q.Pipeline, q.SHA, q.MR, q.Recent, q.AnyStatus, q.Downstream,
		q.Paths, q.Exclude, q.Output, q.StripComponents, q.Flat, q.IfMissing, q.SHA256))
}
