package gitlab

import (
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

// An answer must be about the object that was requested. A server in between, a cache or
// a broken server may send another job, or the jobs of another pipeline: then the wrong
// one would be downloaded, canceled or erased next.

// other returns the error for an answer about another object than requested.
func other(method, address string, status int, is, asked string) error {
	return &Error{
		Method: method, URL: redact.URL(address), StatusCode: status,
		Message: fmt.Sprintf("the answer is about %s, and %s was asked for", is, asked),
	}
}

// one returns an error if an answer about a single object isn't about the requested one.
func (a answer) one(what string, is, asked any) error {
	return other(a.Request.Method, a.Request.URL.String(), a.StatusCode, fmt.Sprint(what, " ", is), fmt.Sprint(what, " ", asked))
}

// of returns an error if an answer is about another project or pipeline.
func (a answer) of(c *Client, in place, p Pipeline) error {
	if is, asked := c.about(in, p); is != "" {
		return other(a.Request.Method, a.Request.URL.String(), a.StatusCode, is, asked)
	}
	return nil
}

// place is where the object of an answer must be.
type place struct {
	project  Project
	pipeline int64 // 0 means any
}

// about checks the place of a job, a pipeline or a row of a list, as far as the server
// shows it. It returns the wrong and the requested place, or "".
func (c *Client) about(in place, p Pipeline) (is, asked string) {
	switch {
	case in.pipeline != 0 && p.ID != 0 && p.ID != in.pipeline:
		return fmt.Sprint("pipeline ", p.ID), fmt.Sprint("pipeline ", in.pipeline)
	case !c.isOf(in.project, p.ProjectID):
		return fmt.Sprint("project ", p.ProjectID), "project " + string(in.project)
	}
	return "", ""
}

// isOf reports whether an ID may belong to a project. For a project given by path, all
// answers must have the same ID.
func (c *Client) isOf(project Project, id int64) bool {
	if id == 0 {
		return true
	}
	if number, err := strconv.ParseInt(string(project), 10, 64); err == nil {
		return id == number
	}
	first, _ := c.projects.LoadOrStore(strings.ToLower(string(project)), id)
	return first == id
}

// rowsOf passes on the rows of a list, up to one that belongs to another pipeline or
// project than requested.
func rowsOf[T any](c *Client, rows iter.Seq2[T, error], address string, in place, of func(T) Pipeline) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for row, err := range rows {
			if err == nil {
				if is, asked := c.about(in, of(row)); is != "" {
					err = other(http.MethodGet, address, http.StatusOK, is, asked)
				}
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}
