package jobs

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// A failure of one job doesn't stop what is done to the others, and one that would be the
// same for all of them does. The error tells them apart.
func TestEach(t *testing.T) {
	t.Parallel()
	found := []resolve.Artifact{{JobID: 1}, {JobID: 2}, {JobID: 3}}
	gone := &resolve.NoArchiveError{Artifact: found[1]}
	denied := &gitlab.Error{StatusCode: 403}
	for _, tt := range []struct {
		name  string
		found []resolve.Artifact
		fails map[int64]error
		done  []int64
		text  string
		is    error
	}{
		{"all", found, nil, []int64{1, 2, 3}, "", nil},
		{"no archive", found, map[int64]error{2: gone}, []int64{1, 3}, "not kept: job 2; kept: job 1, job 3; ", gone},
		{"not now", found, map[int64]error{1: &RefusedError{Err: &gitlab.Error{StatusCode: 400, Message: "Unplayable Job"}}}, []int64{2, 3}, "not kept: job 1; kept: job 2, job 3; ", nil},
		{"no job", found, map[int64]error{3: &resolve.NotFoundError{What: "job id"}}, []int64{1, 2}, "not kept: job 3; kept: job 1, job 2; ", nil},
		{"denied", found, map[int64]error{2: denied}, []int64{1}, "not kept: job 2, job 3; kept: job 1; ", denied},
		{"denied later", found, map[int64]error{1: gone, 2: denied}, nil, "not kept: job 1, job 2, job 3; kept: none; ", denied},
		{"unsure", found, map[int64]error{1: &UnsureError{1, denied}}, nil, "not kept: job 2, job 3; kept: none; cannot tell", nil},
		{"unsure at last", found, map[int64]error{3: &UnsureError{3, denied}}, []int64{1, 2}, "kept: job 1, job 2; cannot tell", nil},
		{"one", found[1:2], map[int64]error{2: gone}, nil, gone.Error(), gone},
	} {
		var done []int64
		err := Each(tt.found, "kept", func(a resolve.Artifact) error {
			if err := tt.fails[a.JobID]; err != nil {
				return err
			}
			done = append(done, a.JobID)
			return nil
		})
		text := ""
		if err != nil {
			text = err.Error()
		}
		if !slices.Equal(done, tt.done) || !strings.HasPrefix(text, tt.text) || (text == "") != (tt.text == "") || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: %v, %v", tt.name, done, err)
		}
	}
}
