package world

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MergeRequest is a merge request into a branch of its project.
type MergeRequest struct {
	IID          int64
	Title        string // empty means "A change"
	State        string // "closed", "locked" or "merged"; empty means "opened"
	Draft        bool
	Author       string // empty means "fixture"
	SourceBranch string
	TargetBranch string
	// SourceProject is the fork with the source branch; zero means the project itself.
	SourceProject int64
	SHA           string   // the head of the source branch
	BaseSHA       string   // the merge base of the diff
	StartSHA      string   // the head of the target branch when the diff was made
	Shas          []string // of all its commits so far; empty means only SHA
	CreatedAt     time.Time
}

// Types of merge request pipelines, as in CI_MERGE_REQUEST_EVENT_TYPE.
const (
	Detached     = "detached"
	MergedResult = "merged_result"
	MergeTrain   = "merge_train"
)

// eventTypes are the types by the last part of their refs (app/models/merge_request.rb:
// ref_path, merge_ref_path, train_ref_path).
var eventTypes = map[string]string{"head": Detached, "merge": MergedResult, "train": MergeTrain}

// mergeRequestRef parses a ref such as "refs/merge-requests/7/train".
func mergeRequestRef(ref string) (iid int64, event string, ok bool) {
	rest, found := strings.CutPrefix(ref, "refs/merge-requests/")
	number, end, cut := strings.Cut(rest, "/")
	iid, err := strconv.ParseInt(number, 10, 64)
	event = eventTypes[end]
	return iid, event, found && cut && err == nil && event != ""
}

// MergeRequest finds a merge request.
func (p *Project) MergeRequest(iid int64) *MergeRequest {
	if i := slices.IndexFunc(p.MergeRequests, func(m *MergeRequest) bool { return m.IID == iid }); i >= 0 {
		return p.MergeRequests[i]
	}
	return nil
}

// MergeRequestOf finds the merge request of a merge request pipeline or its child, and
// the pipeline's type.
func (p *Project) MergeRequestOf(pipeline *Pipeline) (m *MergeRequest, event string) {
	iid, event, ok := mergeRequestRef(pipeline.Ref)
	if !ok {
		return nil, ""
	}
	return p.MergeRequest(iid), event
}

// ID differs from any merge request's IID: clients must not confuse them.
func (m *MergeRequest) ID(p *Project) int64 { return p.ID*100_000 + m.IID }

// Refs returns the refs of the merge request's pipelines.
func (m *MergeRequest) Refs() []string {
	var refs []string
	for _, end := range []string{"head", "merge", "train"} {
		refs = append(refs, fmt.Sprintf("refs/merge-requests/%d/%s", m.IID, end))
	}
	return refs
}

// Status returns the State or its default.
func (m *MergeRequest) Status() string { return cmp.Or(m.State, "opened") }

// MergeRequestPipelines is app/finders/ci/pipelines_for_merge_request_finder.rb: the
// merge request's own pipelines, newest first, then those of its source branch for one of
// its commits. It omits child pipelines.
func (w *World) MergeRequestPipelines(p *Project, m *MergeRequest) []*Pipeline {
	own, branch := []*Pipeline{}, []*Pipeline{}
	for _, one := range p.Pipelines {
		if one.SourceName() == "merge_request_event" && slices.Contains(m.Refs(), one.Ref) {
			own = append(own, one)
		}
	}
	source, _ := w.Project(strconv.FormatInt(cmp.Or(m.SourceProject, p.ID), 10))
	if source == nil { // the fork and its pipelines no longer exist
		return nil
	}
	shas := append(slices.Clone(m.Shas), m.SHA)
	for _, one := range source.Pipelines {
		if !one.Tag && one.Ref == m.SourceBranch && one.CISource() && slices.Contains(shas, one.SHA) {
			branch = append(branch, one)
		}
	}
	for _, list := range [][]*Pipeline{own, branch} {
		slices.SortFunc(list, func(a, b *Pipeline) int { return cmp.Compare(b.ID, a.ID) })
	}
	return append(own, branch...)
}
