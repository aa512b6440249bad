package gitlab

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
)

// Lack is what a token lacks for a request, in GitLab's words.
type Lack struct {
	Scopes      []string // one of them is needed
	Permissions []string // for a fine-grained token; all of them are needed, such as "Job Artifact: Read"
}

// lackOf reads two kinds of 403 that aren't about roles (lib/api/api_guard.rb; RFC 6750
// §3.1). A namespace that requires fine-grained tokens refuses all others with the second.
//
//	{"error": "insufficient_scope", "error_description": …, "scope": "api read_api"}
//	{"error": "insufficient_granular_scope", "error_description": "… [Job Artifact: Read]."}
func lackOf(body []byte) *Lack {
	var e struct {
		Error       json.RawMessage `json:"error"`
		Description string          `json:"error_description"`
		Scope       json.RawMessage `json:"scope"`
	}
	if json.Unmarshal(body, &e) != nil {
		return nil
	}
	switch words(e.Error) {
	case "insufficient_scope":
		return &Lack{Scopes: strings.FieldsFunc(words(e.Scope), func(r rune) bool { return r == ' ' || r == ',' })}
	case "insufficient_granular_scope":
		lack := &Lack{}
		for _, m := range bracketed.FindAllStringSubmatch(oneLine(e.Description), -1) {
			lack.Permissions = append(lack.Permissions, strings.Split(m[1], ", ")...)
		}
		return lack
	}
	return nil
}

var bracketed = regexp.MustCompile(`\[([^\[\]]+)\]`)

// Hint says what to do if the token lacks a scope or a permission, or if object storage
// refuses what GitLab redirected to. It is empty for other refusals.
func (e *Error) Hint() string {
	switch {
	case e.FromStorage:
		return e.storageHint()
	case e.Lack == nil:
		return ""
	case len(e.Lack.Permissions) == 1:
		return "the token lacks the permission " + e.Lack.Permissions[0] + ": use a fine-grained token that has it; GitLab cannot add it to a token that exists"
	case len(e.Lack.Permissions) > 1:
		return "the token lacks one of the permissions " + strings.Join(e.Lack.Permissions, ", ") + ": use a fine-grained token that has them; GitLab cannot add them to a token that exists"
	case len(e.Lack.Scopes) > 0:
		return "the token lacks a scope: use one with the scope " + strings.Join(e.Lack.Scopes, " or ")
	}
	return "the token lacks a scope or permission: use one that has more"
}

// storageHint is the hint for object storage's answer. GitLab only redirects if it
// believes that the file exists, and signs the address itself.
func (e *Error) storageHint() string {
	switch e.StatusCode {
	case http.StatusNotFound, http.StatusGone:
		return "GitLab has the file, and its storage doesn't: ask GitLab's administrator, or re-run the job"
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		return "the storage refuses the address that GitLab has signed: the clocks of both may differ, a proxy may change requests, or GitLab may lack rights there; ask its administrator"
	}
	return ""
}
