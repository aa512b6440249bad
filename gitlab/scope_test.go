package gitlab_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// What a token lacks is said in every form that GitLab has for it, and of nothing else.
func TestLack(t *testing.T) {
	t.Parallel()
	const denied = `"error_description":"The request requires higher privileges than provided by the access token."`
	for _, tt := range []struct {
		name   string
		status int
		body   string
		want   string // a part of the hint; empty means none
	}{
		{"scopes", 403, `{"error":"insufficient_scope",` + denied + `,"scope":"api read_api"}`, "use one with the scope api or read_api"},
		{"a list of scopes", 403, `{"error":"insufficient_scope",` + denied + `,"scope":["api","read_api"]}`, "the scope api or read_api"},
		{"no scope", 403, `{"error":"insufficient_scope",` + denied + `}`, "lacks a scope or permission"},
		{"a permission", 403, `{"error":"insufficient_granular_scope","error_description":"Access denied: This operation requires a fine-grained personal access token with the following project permissions: [Job Artifact: Read]."}`, "the permission Job Artifact: Read:"},
		{"permissions", 403, `{"error":"insufficient_granular_scope","error_description":"Access denied: Your Personal Access Token lacks the required permissions: [read_job, read_pipeline] for \"group/app\"."}`, "the permissions read_job, read_pipeline:"},
		{"no permission", 403, `{"error":"insufficient_granular_scope",` + denied + `}`, "lacks a scope or permission"},
		{"a role", 403, `{"message":"403 Forbidden"}`, ""},
		{"another error", 403, `{"error":"access_denied","error_description":"[x]"}`, ""},
		{"expired", 401, `{"error":"invalid_token","error_description":"Token is expired."}`, ""},
		{"another status", 400, `{"error":"insufficient_scope",` + denied + `,"scope":"api"}`, ""},
		{"storage", 403, `<?xml version="1.0"?><Error><Code>insufficient_scope</Code></Error>`, "the storage refuses the address that GitLab has signed"},
		{"no JSON", 403, `insufficient_scope`, ""},
	} {
		resp := &http.Response{StatusCode: tt.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(tt.body))}
		refusal, ok := errors.AsType[*gitlab.Error](gitlab.CheckResponse(resp))
		if !ok || (tt.want == "") != (refusal.Hint() == "") || !strings.Contains(refusal.Hint(), tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, refusal.Hint(), tt.want)
		}
	}
}
