package gitlab_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// replies is a server without a network.
type replies func(r *http.Request) *http.Response

// RoundTrip implements [http.RoundTripper].
func (a replies) RoundTrip(r *http.Request) (*http.Response, error) {
	resp := a(r)
	resp.Request = r
	if resp.Header == nil {
		resp.Header = http.Header{}
	}
	return resp, nil
}

func body(text string) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }

func inMemory(t *testing.T, a replies) *gitlab.Client {
	t.Helper()
	api, err := url.Parse("https://h/api/v4")
	if err != nil {
		t.Fatal(err)
	}
	return gitlab.New(api, &http.Client{Transport: a}, &http.Client{Transport: a})
}

// Each request has its own ways to succeed. An answer with another status, though its
// body looks right, is from a server in between.
func TestSuccess(t *testing.T) {
	t.Parallel()
	requests := []struct {
		name string
		good []int
		call func(c *gitlab.Client) error
	}{
		{"list", []int{200}, func(c *gitlab.Client) (err error) {
			for _, err = range c.Pipelines(t.Context(), "7", gitlab.PipelinesOptions{}) {
				break
			}
			return err
		}},
		{"get", []int{200}, func(c *gitlab.Client) error { _, err := c.Job(t.Context(), "7", 1); return err }},
		{"greeting", []int{200}, func(c *gitlab.Client) error {
			g, err := c.Greet(t.Context())
			if g.Refused != nil {
				return g.Refused
			}
			return err
		}},
		{"log", []int{200}, func(c *gitlab.Client) error {
			log, err := c.Trace(t.Context(), "7", 1)
			if err != nil {
				return err
			}
			return log.Close()
		}},
		{"first byte", []int{200, 206}, func(c *gitlab.Client) error { return c.ArchiveExists(t.Context(), "7", 1) }},
		{"action", []int{200, 201}, func(c *gitlab.Client) error { _, err := c.RetryJob(t.Context(), "7", 1, nil); return err }},
		{"deletion", []int{202, 204}, func(c *gitlab.Client) error { return c.DeleteArtifacts(t.Context(), "7", 1) }},
	}
	for _, tt := range requests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for status := 200; status < 600; status++ {
				if status >= 301 && status <= 308 {
					continue // redirects are the client's
				}
				text := `{"id":1,"version":"19.0.0","message":"m"}`
				if tt.name == "list" {
					text = `[{"id":1}]`
				}
				c := inMemory(t, func(*http.Request) *http.Response {
					return &http.Response{StatusCode: status, Body: body(text), Header: http.Header{"Content-Type": {"application/json"}}}
				})
				err := tt.call(c)
				refusal, ok := errors.AsType[*gitlab.Error](err)
				if good := slices.Contains(tt.good, status); good != (err == nil) || !good && (!ok || refusal.StatusCode != status) {
					t.Errorf("%d: %v", status, err)
				}
			}
			for _, status := range tt.good {
				c := inMemory(t, func(*http.Request) *http.Response {
					return &http.Response{StatusCode: status, Body: body("<html><title>Sign in</title></html>"), Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}}
				})
				if _, ok := errors.AsType[*gitlab.Error](tt.call(c)); !ok && tt.name != "deletion" {
					t.Errorf("%d: a sign-in page is taken for an answer", status)
				}
			}
		})
	}
}
