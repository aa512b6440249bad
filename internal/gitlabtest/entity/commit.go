package entity

import (
	"cmp"
	"net/url"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// Commit is Commit (lib/api/entities/commit.rb).
type Commit struct {
	ID               string         `json:"id"`
	ShortID          string         `json:"short_id"`
	CreatedAt        string         `json:"created_at"`
	ParentIDs        []string       `json:"parent_ids"`
	Title            string         `json:"title"`
	Message          string         `json:"message"`
	AuthorName       string         `json:"author_name"`
	AuthorEmail      string         `json:"author_email"`
	AuthoredDate     string         `json:"authored_date"`
	CommitterName    string         `json:"committer_name"`
	CommitterEmail   string         `json:"committer_email"`
	CommittedDate    string         `json:"committed_date"`
	Trailers         map[string]any `json:"trailers"`
	ExtendedTrailers map[string]any `json:"extended_trailers"`
	WebURL           string         `json:"web_url"`
}

// Commit makes the entity of a commit; nil for a commit that is gone.
func (in Instance) Commit(commit *world.Commit) *Commit {
	if commit == nil {
		return nil
	}
	author, title, at := cmp.Or(commit.Author, world.FixtureUser), cmp.Or(commit.Title, "A change"), stamp(commit.CreatedAt)
	return &Commit{
		ID: commit.ID, ShortID: commit.ID[:min(len(commit.ID), 8)], CreatedAt: at, ParentIDs: answer.OrEmpty(commit.Parents),
		Title: title, Message: title + "\n",
		AuthorName: author, AuthorEmail: author + "@example.com", AuthoredDate: at,
		CommitterName: author, CommitterEmail: author + "@example.com", CommittedDate: at,
		Trailers: map[string]any{}, ExtendedTrailers: map[string]any{},
		WebURL: in.Web + "/" + in.Project.Path + "/-/commit/" + commit.ID,
	}
}

// commitDetails is CommitDetail (lib/api/entities/commit_detail.rb).
type commitDetails struct {
	Commit
	Stats        map[string]int `json:"stats,omitempty"`
	Status       any            `json:"status"`
	ProjectID    int64          `json:"project_id"`
	LastPipeline *Pipeline      `json:"last_pipeline"`
}

// Branch is Branch (lib/api/entities/branch.rb).
type Branch struct {
	Name               string  `json:"name"`
	Commit             *Commit `json:"commit"`
	Merged             bool    `json:"merged"`
	Protected          bool    `json:"protected"`
	DevelopersCanPush  bool    `json:"developers_can_push"`
	DevelopersCanMerge bool    `json:"developers_can_merge"`
	CanPush            bool    `json:"can_push"`
	Default            bool    `json:"default"`
	WebURL             string  `json:"web_url"`
}

// CommitDetails makes the details of a commit. last is its last pipeline, or nil.
func (in Instance) CommitDetails(commit *world.Commit, last *world.Pipeline, stats bool) commitDetails {
	e := commitDetails{Commit: *in.Commit(commit), ProjectID: in.Project.ID}
	if stats {
		e.Stats = map[string]int{"additions": 1, "deletions": 1, "total": 2}
	}
	if last != nil {
		pipeline := in.Pipeline(last)
		e.Status, e.LastPipeline = last.Status, &pipeline
	}
	return e
}

// Branch makes the entity of a branch.
func (in Instance) Branch(name string, canPush bool) Branch {
	main := name == in.Project.DefaultBranch
	return Branch{
		Name: name, Commit: in.Commit(in.Project.Commit(in.Project.Head(name))), Protected: main, Default: main,
		CanPush: canPush,
		WebURL:  in.Web + "/" + in.Project.Path + "/-/tree/" + (&url.URL{Path: name}).EscapedPath(),
	}
}
