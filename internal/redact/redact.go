// Package redact keeps secrets out of everything that people or logs get to
// see. It works in two lines, because either may miss something:
//
//	shape    URLs lose userinfo, fragment and every query value that is not
//	         known to be harmless: a redirect to object storage is a signed
//	         URL, whose signature is as good as a password while it lasts
//	value    [Secrets] knows the tokens in use and masks them, however they
//	         are encoded, in whatever is written
//
// Packages redact by shape where they make a URL or an error. The command
// redacts by value where text leaves the process.
package redact

import (
	"regexp"
	"strings"
)

// mark stands where a secret was.
const mark = "[REDACTED]"

// credentialParams matches parameters whose value is a credential, wherever
// they stand in a text. A value ends where a query value does, and at a
// backslash, since JSON may write & as \u0026.
//
// Names of signatures: AWS Signature Version 4 query parameters, Google Cloud
// Storage signed URLs, Google Cloud CDN signed URLs, Azure shared access
// signatures (sig). Names of tokens: https://docs.gitlab.com/api/rest/authentication/
var credentialParams = regexp.MustCompile(
	`(?i)\b((?:X-Amz-|X-Goog-)?Signature|X-Amz-Credential|X-Goog-Credential|X-Amz-Security-Token|sig|` +
		`private_token|job_token|access_token)=[^&\s"'\\<>]+`)

// webAddress matches URLs inside of a text.
var webAddress = regexp.MustCompile("(?i)\\bhttps?://[^\\s\"'`<>\\\\]+")

// Text redacts every web address and every credential parameter in s.
func Text(s string) string {
	if strings.Contains(s, "://") {
		s = webAddress.ReplaceAllStringFunc(s, URL)
	}
	return params(s)
}

// params masks credential parameters. Most lines have none, and a regular
// expression is slow to find that out.
func params(s string) string {
	if !strings.Contains(s, "=") {
		return s
	}
	return credentialParams.ReplaceAllStringFunc(s, func(m string) string {
		name, value, _ := strings.Cut(m, "=")
		if value == placeholder || value == mark {
			return m // already done
		}
		return name + "=" + mark
	})
}
