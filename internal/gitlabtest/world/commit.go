package world

import (
	"slices"
	"strings"
	"time"
)

// Commit is a commit of a project's repository. The commit of a pipeline that no
// Commit describes is there, too, without parents.
type Commit struct {
	ID        string
	Parents   []string // the first is the branch's own, as in git
	Title     string
	Author    string
	CreatedAt time.Time
	// Gone commits are out of reach of every ref, as after a rebase, and were
	// removed from the repository. Their pipelines stay.
	Gone bool
}

// Commit finds a commit by its full id.
func (p *Project) Commit(id string) *Commit {
	for _, c := range p.Commits {
		if c.ID == id {
			if c.Gone {
				return nil
			}
			return c
		}
	}
	return p.implied()[id]
}

// CommitOf is the commit that a pipeline ran for; nil if it is gone.
func (p *Project) CommitOf(pipeline *Pipeline) *Commit {
	for _, c := range p.Commits {
		if c.ID == pipeline.SHA {
			return p.Commit(c.ID)
		}
	}
	return &Commit{ID: pipeline.SHA, Author: pipeline.Starter(), CreatedAt: pipeline.CreatedAt}
}

// implied are the commits that refs, pipelines and merge requests name.
func (p *Project) implied() map[string]*Commit {
	all := map[string]*Commit{}
	add := func(id string, at time.Time, author string) {
		if id != "" && all[id] == nil {
			all[id] = &Commit{ID: id, Author: author, CreatedAt: at}
		}
	}
	p.Each(func(pipeline, _ *Pipeline) { add(pipeline.SHA, pipeline.CreatedAt, pipeline.Starter()) })
	for _, head := range p.Heads {
		add(head, time.Time{}, "")
	}
	for _, m := range p.MergeRequests {
		add(m.SHA, m.CreatedAt, m.Author)
		add(m.BaseSHA, m.CreatedAt, "")
	}
	for _, c := range p.Commits {
		delete(all, c.ID)
	}
	return all
}

// Branches are the names of the branches, sorted: those that Heads gives a
// commit, and the refs of branch pipelines, unless Heads says they are gone.
func (p *Project) Branches() []string {
	tags, names := map[string]bool{}, []string{}
	p.Each(func(one, _ *Pipeline) {
		switch {
		case one.Tag:
			tags[one.Ref] = true
		case !strings.HasPrefix(one.Ref, "refs/"):
			names = append(names, one.Ref)
		}
	})
	for ref := range p.Heads {
		if !strings.HasPrefix(ref, "refs/") && !tags[ref] {
			names = append(names, ref)
		}
	}
	names = slices.DeleteFunc(names, func(ref string) bool { return p.Head(ref) == "" })
	slices.Sort(names)
	return slices.Compact(names)
}

// Head is the commit that a branch, a tag or a merge request's ref points at;
// none has an empty one.
func (p *Project) Head(ref string) string {
	if head, known := p.Heads[ref]; known {
		return head
	}
	if iid, event, ok := mergeRequestRef(ref); ok && event == Detached {
		if m := p.MergeRequest(iid); m != nil && m.SHA != "" {
			return m.SHA
		}
	}
	var newest *Pipeline
	p.Each(func(one, _ *Pipeline) {
		if one.Ref == ref && (newest == nil || one.ID > newest.ID) {
			newest = one
		}
	})
	if newest == nil {
		return ""
	}
	return newest.SHA
}

// Resolve finds a commit by what git rev-parse takes: an id, the beginning of
// one, a branch, a tag, a full ref, HEAD.
func (p *Project) Resolve(ref string) *Commit {
	if ref == "HEAD" {
		ref = p.DefaultBranch
	}
	if c := p.Commit(ref); c != nil {
		return c
	}
	short, _ := strings.CutPrefix(ref, "refs/heads/")
	short, _ = strings.CutPrefix(short, "refs/tags/")
	if head := p.Head(short); head != "" {
		return p.Commit(head)
	}
	return p.abbreviated(ref)
}

// abbreviated finds the one commit whose id begins so.
func (p *Project) abbreviated(id string) *Commit {
	const shortest = 7
	if len(id) < shortest || strings.Trim(id, "0123456789abcdef") != "" {
		return nil
	}
	all := p.implied()
	for _, c := range p.Commits {
		if !c.Gone {
			all[c.ID] = c
		}
	}
	var found *Commit
	for full, c := range all {
		if strings.HasPrefix(full, id) {
			if found != nil {
				return nil // ambiguous
			}
			found = c
		}
	}
	return found
}

// MergeBase is the newest common ancestor of commits, as git merge-base finds it:
// the first that a walk from the first commit meets and all others have.
func (p *Project) MergeBase(ids ...string) *Commit {
	reach := make([]map[string]bool, len(ids))
	var order []string
	for i, id := range ids {
		reach[i] = map[string]bool{}
		queue := []string{id}
		for len(queue) > 0 {
			next := queue[0]
			queue = queue[1:]
			c := p.Commit(next)
			if c == nil || reach[i][next] {
				continue
			}
			reach[i][next] = true
			if i == 0 {
				order = append(order, next)
			}
			queue = append(queue, c.Parents...)
		}
	}
	for _, id := range order {
		if !slices.ContainsFunc(reach, func(from map[string]bool) bool { return !from[id] }) {
			return p.Commit(id)
		}
	}
	return nil
}
