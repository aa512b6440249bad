package jobs

import (
	"encoding/json"
	"slices"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// Whole returns a job as programs read it: the object that GitLab sent, with every field
// of it, known or not, and behind those the fields of its [Row] that it doesn't have. The
// job must have its Raw.
func Whole(j gitlab.Job) (json.RawMessage, error) {
	var sent, row map[string]json.RawMessage
	if err := json.Unmarshal(j.Raw, &sent); err != nil {
		return nil, err
	}
	known, err := json.Marshal(NewRow(j))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(known, &row); err != nil {
		return nil, err
	}
	for name := range sent {
		delete(row, name)
	}
	if len(row) == 0 {
		return j.Raw, nil
	}
	added, err := json.Marshal(row)
	if err != nil {
		return nil, err
	}
	added[0] = ',' // for {; GitLab's object has an ID at least
	return slices.Concat(j.Raw[:len(j.Raw)-1], added), nil
}
