package gitlab

import (
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

// An answer must be about what the request named. A server in between, a cache or a broken
// server may send another job, or the jobs of another pipeline: what is downloaded,
// canceled or erased next would be what nobody asked for.

// other is the error of an answer that isn't about what was asked for.
func other(method, address string, status int, is, asked string) error {
	return &Error{
		Method: method, URL: redact.URL(address), StatusCode: status,
		Message: fmt.Sprintf("the answer is about %s, and %s was asked for", is, asked),
	}
}

// one returns the error of an answer about a single thing that isn't what was asked for.
func (a answer) one(what string, is, asked any) error {
	return other(a.Request.Method, a.Request.URL.String(), a.StatusCode, fmt.Sprint(what, " ", is), fmt.Sprint(what, " ", asked))
}

// of returns the error of an answer that is about another project or pipeline.
func (a answer) of(c *Client, in place, p Pipeline) error {
	if is, asked := c.about(in, p); is != "" {
		return other(a.Request.Method, a.Request.URL.String(), a.StatusCode, is, asked)
	}
	return nil
}

// place is where what an answer is about must be.
type place struct {
	project  Project
	pipeline int64 // 0 is any
}

// about checks where a job, a pipeline or a row of a list is. What the server leaves out
// isn't checked. It returns what is wrong and what was asked for, or "".
func (c *Client) about(in place, p Pipeline) (is, asked string) {
	switch {
	case in.pipeline != 0 && p.ID != 0 && p.ID != in.pipeline:
		return fmt.Sprint("pipeline ", p.ID), fmt.Sprint("pipeline ", in.pipeline)
	case !c.isOf(in.project, p.ProjectID):
		return fmt.Sprint("project ", p.ProjectID), "project " + string(in.project)
	}
	return "", ""
}

// isOf reports whether an ID can be that of a project. Of a project that is named by its
// path, all answers must have the same ID.
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

// rowsOf passes on the rows of a list, up to one that is about another pipeline or project
// than was asked for.
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
