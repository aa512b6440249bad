package world

import (
	"encoding/json"
	"fmt"
	"io"
)

// Read reads a world from JSON: the fields of [World] by their names, in any case. The
// easiest way to define an archive is Files. A Downstream pipeline may be defined by its
// ID only.
//
//	{"projects": [{"id": 1, "path": "g/p", "visibility": "private", "pipelines": [
//	  {"id": 10, "ref": "main", "status": "running", "follows": true, "jobs": [
//	    {"id": 100, "name": "build", "finishAfter": 3, "files": [{"name": "a.txt", "content": "a"}]}]}]}],
//	 "tokens": [{"value": "glpat-x", "kind": "private", "roles": {"1": "maintainer"}}]}
func Read(r io.Reader) (*World, error) {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	w := &World{}
	if err := d.Decode(w); err != nil {
		return nil, fmt.Errorf("reading a world: %w", err)
	}
	for _, p := range w.Projects {
		var err error
		p.Each(func(pipeline, _ *Pipeline) {
			for _, b := range pipeline.Bridges {
				if lost := w.link(b); lost != nil {
					err = lost
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return w, nil
}

// link finds the pipeline that a trigger job of a multi-project pipeline names.
func (w *World) link(b *Bridge) error {
	if b.Downstream == nil {
		return nil
	}
	for _, p := range w.Projects {
		if p.ID == b.DownstreamProject {
			if found := p.Pipeline(b.Downstream.ID); found != nil {
				b.Downstream = found
				return nil
			}
		}
	}
	return fmt.Errorf("trigger job %d: no pipeline %d in project %d", b.ID, b.Downstream.ID, b.DownstreamProject)
}
