package world_test

import (
	"slices"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// In GitLab, newer pipelines have higher IDs, and so do newer jobs, including retried
// ones; and IDs are unique. Only the jobs of project 1 break this rule, because many
// scripts know their IDs.
func TestFixtureOrder(t *testing.T) {
	t.Parallel()
	type row struct {
		id int64
		at time.Time
	}
	for _, project := range world.Fixture().Projects {
		var pipelines, jobs []row
		project.Each(func(p, _ *world.Pipeline) {
			pipelines = append(pipelines, row{p.ID, p.CreatedAt})
			for _, j := range p.Jobs {
				created, _, _ := j.Times(p)
				jobs = append(jobs, row{j.ID, created})
			}
		})
		if project.ID == 1 {
			jobs = nil
		}
		for kind, rows := range map[string][]row{"pipelines": pipelines, "jobs": jobs} {
			slices.SortFunc(rows, func(a, b row) int { return int(a.id - b.id) })
			for i := 1; i < len(rows); i++ {
				if rows[i].id == rows[i-1].id || rows[i].at.Before(rows[i-1].at) {
					t.Errorf("%s, %s: %v before %v", project.Path, kind, rows[i-1], rows[i])
				}
			}
		}
	}
}
