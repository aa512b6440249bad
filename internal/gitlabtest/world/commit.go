package world

import (
	"slices"
	"strings"
	"time"
)

// Commit is a commit in a project's repository. A pipeline's commit that isn't listed
// exists too, without parents.
type Commit struct {
	ID        string
	Parents   []string // as in git, the first is on the branch itself
	Title     string
	Author    string
	CreatedAt time.Time
	// Gone says that no ref reaches the commit, for example after a rebase, and that it
	// has been removed from the repository. Its pipelines remain.
	Gone bool
}

// Commit finds a commit by its full ID.
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

// CommitOf returns a pipeline's commit, or nil if it is gone.
func (p *Project) CommitOf(pipeline *Pipeline) *Commit {
	for _, c := range p.Commits {
		if c.ID == pipeline.SHA {
			return p.Commit(c.ID)
		}
	}
	return &Commit{ID: pipeline.SHA, Author: pipeline.Starter(), CreatedAt: pipeline.CreatedAt}
}

// implied returns the commits that refs, pipelines and merge requests name.
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

// Branches returns the sorted names of the branches: those that have a commit in Heads,
// and the refs of branch pipelines, unless Heads says that they are deleted.
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

// Head returns the commit that a branch, a tag or a merge request's ref points at; empty
// if the ref doesn't exist.
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

// Resolve finds a commit as git rev-parse does: by ID, the start of one, branch, tag,
// full ref or HEAD.
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

// abbreviated finds the only commit whose ID starts like this.
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

// MergeBase returns the newest common ancestor, as git merge-base does: the first on a
// walk from the first commit that all others have too.
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
