package jobs_test

import (
	"testing"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/jobs"
)

// A size that isn't positive is unknown.
func TestUnknownSize(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{-5, 0, 7} {
		row := jobs.NewRow(gitlab.Job{ArtifactsFile: &gitlab.ArtifactsFile{Size: size}, Artifacts: []gitlab.ArtifactFile{{FileType: "archive", Size: size}}})
		if known := row.ArchiveSize != nil; known != (size > 0) || known && *row.ArchiveSize != size || row.Artifacts[0].Size != max(size, 0) {
			t.Errorf("size %d: %v, %d", size, row.ArchiveSize, row.Artifacts[0].Size)
		}
	}
}
