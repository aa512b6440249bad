package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/gitlab"
)

// token checks whether the token is valid. refused is the server's error for a request
// for its version, which job tokens can't read.
func (d *doctor) token(ctx context.Context, refused *gitlab.Error) (alive bool) {
	t := d.Config.Token
	name := fmt.Sprintf("%s token from %s", t.Kind, t.Source)
	switch {
	case t.Kind == env.NoToken:
		text := "none"
		if t.Unread != "" {
			text = "none: " + t.Unread + " is set, but not read: use GITLAB_TOKEN"
		}
		d.limitedBy("token", text, NoToken)
		return true
	case t.Kind == env.JobToken:
		job, err := d.API.CurrentJob(ctx)
		if err != nil {
			remedy := "a job token only works while its job runs, so a copy of it does not"
			if !errors.Is(err, gitlab.ErrUnauthorized) {
				remedy = later
			}
			d.failed("token", fmt.Errorf("%s: %w", name, err), remedy)
			return false
		}
		d.ok("token", fmt.Sprintf("%s: alive, of job %d (%s)", name, job.ID, job.Name))
		return true
	case refused != nil && refused.StatusCode == http.StatusUnauthorized:
		d.failed("token", fmt.Errorf("%s: %w", name, refused), "it has expired, was revoked, or belongs to another server")
		return false
	}
	d.described(ctx, name)
	return true
}

// described reports a user's token: its expiry date and its scopes. GitLab doesn't
// describe OAuth tokens, nor any token before 15.5.
func (d *doctor) described(ctx context.Context, name string) {
	info, err := d.API.OwnToken(ctx)
	if err != nil {
		d.ok("token", name+": alive; GitLab does not list its scopes")
		return
	}
	text := fmt.Sprintf("%s: alive, %q, expires ", name, info.Name)
	expires, err := time.Parse(time.DateOnly, info.ExpiresAt)
	switch {
	case err != nil:
		d.ok("token", text+"never")
	case time.Until(expires) < nearlyOver:
		d.limited("token", text+"on "+info.ExpiresAt, "create a new one soon, and use it from then on")
	default:
		d.ok("token", text+"on "+info.ExpiresAt)
	}
	d.scopes(info.Scopes)
}

// scopes reports which useful scopes the token has. A fine-grained token has permissions
// instead, which rights checks.
func (d *doctor) scopes(scopes []string) {
	all := strings.Join(scopes, ", ")
	switch {
	case slices.Contains(scopes, "api"):
		d.ok("scopes", "api: may read jobs, pipelines, artifacts and logs, and change jobs as far as the user's role goes")
	case slices.Contains(scopes, "read_api"):
		d.ok("scopes", "read_api: may read jobs, pipelines, artifacts and logs; to change jobs or delete artifacts, the token needs the scope api")
	case slices.Contains(scopes, "granular"):
		d.granular = true
		d.ok("scopes", "fine-grained: permissions are checked one by one below")
	default:
		d.limited("scopes", "neither read_api nor api, but "+all, "use a token with the scope read_api; to change jobs or delete artifacts, with the scope api")
	}
}
