package resolve

import (
	"fmt"
	"regexp"
	"slices"
)

// picker picks a query's jobs from those that it is offered. The first job with a name
// decides, even if it can't be used: a parent's comes before its children's.
type picker struct {
	query  Query
	judge  judge
	names  []jobName
	found  []Artifact
	denied map[string]error // why the first job with a name can't be used
	seen   []string         // the names of all jobs, for suggestions
	taken  map[string]bool
	bare   map[string]error // why jobs with a matching name don't count

	root   int64              // the root of the searched tree; 0 if unknown
	closed []*DownstreamError // pipelines that couldn't be searched
	cut    bool               // there were too many pipelines to search
}

// jobName is one of the names of a query.
type jobName struct {
	text string
	re   *regexp.Regexp
	glob bool
	hit  bool
}

// judge decides about a job whose name matches.
type judge func(candidate) verdict

// verdict is a judge's decision.
type verdict struct {
	artifact Artifact
	err      error // why it can't be used
	skip     bool  // ignore the job
}

func newPicker(q Query, judge judge) *picker {
	p := &picker{query: q, judge: judge, denied: map[string]error{}, taken: map[string]bool{}, bare: map[string]error{}}
	for _, name := range q.Jobs {
		p.names = append(p.names, jobName{text: name, re: compile(name), glob: isGlob(name)})
	}
	return p
}

// offer gives the picker a job to consider.
func (p *picker) offer(job candidate) {
	p.seen = append(p.seen, job.Name)
	if p.taken[job.Name] || !p.wants(job.Name) {
		return
	}
	v := p.judge(job)
	if v.skip {
		if _, known := p.bare[job.Name]; !known {
			p.bare[job.Name] = v.err
		}
		return
	}
	p.taken[job.Name] = true
	for i := range p.names {
		p.names[i].hit = p.names[i].hit || p.names[i].re.MatchString(job.Name)
	}
	if v.err != nil {
		p.denied[job.Name] = v.err
		return
	}
	p.found = append(p.found, v.artifact)
}

func (p *picker) wants(name string) bool {
	return slices.ContainsFunc(p.names, func(n jobName) bool { return n.re.MatchString(name) })
}

// done reports whether no other job can change the result.
func (p *picker) done() bool {
	for _, n := range p.names {
		if n.glob || !n.hit {
			return false
		}
	}
	return true
}

// result returns all jobs of the query, or why one of them is missing. It omits a glob's
// jobs without an archive, if others have one.
func (p *picker) result() ([]Artifact, error) {
	for _, n := range p.names {
		switch {
		case !n.hit && p.bare[n.text] != nil:
			return nil, p.bare[n.text]
		case !n.hit && len(p.closed) > 0:
			closed := *p.closed[0]
			closed.Job = n.text
			return nil, &closed
		case !n.hit:
			return nil, p.notFound(n.text)
		case !n.glob && p.denied[n.text] != nil:
			return nil, p.denied[n.text]
		case n.glob && !p.has(n):
			return nil, p.firstDenied(n)
		}
	}
	return p.found, nil
}

func (p *picker) notFound(job string) error {
	err := &NotFoundError{Query: p.query, What: "job", Job: job, Near: near(job, p.seen), Pipeline: p.root, Names: p.seen}
	if p.cut {
		err.Seen = fmt.Sprintf("and the first %d below it", maxNodes)
	}
	return err
}

func (p *picker) has(n jobName) bool {
	for _, a := range p.found {
		if n.re.MatchString(a.JobName) {
			return true
		}
	}
	return false
}

func (p *picker) firstDenied(n jobName) error {
	for _, name := range p.seen {
		if err := p.denied[name]; err != nil && n.re.MatchString(name) {
			return err
		}
	}
	return nil
}
