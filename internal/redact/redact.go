// Package redact keeps secrets out of everything that people or logs see. It works in two
// ways, because either may miss something:
//
//	shape    removes userinfo, fragment and every query value that isn't known to be
//	         harmless from URLs: redirects to object storage are signed URLs, whose
//	         signature works like a password until it expires (url.go, error.go)
//	value    masks the tokens in use, however they are encoded, in all output
//	         (secrets.go)
//
// Packages redact by shape where they make a URL or an error. The command line redacts by
// value where text leaves the process.
package redact

import (
	"regexp"
	"strings"
)

// mark replaces a secret.
const mark = "[REDACTED]"

// credentialParams matches parameters whose value is a credential, anywhere in a text. A value ends where a query value does, and at a
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
		s = webAddress.ReplaceAllStringFunc(s, inText)
	}
	return params(s)
}

// punctuation can follow an address or a value in a sentence.
const punctuation = ":,.;"

// inText is [URL] for an address in a sentence, whose punctuation isn't part of it.
func inText(address string) string {
	end := strings.TrimRight(address, punctuation)
	return URL(end) + address[len(end):]
}

// params masks credential parameters. Most lines have none, which strings.Contains finds
// faster than a regular expression.
func params(s string) string {
	if !strings.Contains(s, "=") {
		return s
	}
	return credentialParams.ReplaceAllStringFunc(s, func(m string) string {
		name, value, _ := strings.Cut(m, "=")
		if done := strings.TrimRight(value, punctuation); done == placeholder || done == mark {
			return m // already done
		}
		return name + "=" + mark
	})
}
