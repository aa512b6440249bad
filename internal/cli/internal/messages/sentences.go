package messages

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"gitlab.com/artifetch/artifetch/internal/console"
)

// record is a message with its fields.
type record map[string]any

// templates are sentences for messages with fields in them. {name} stands for a field:
// {name:size} for bytes, {name:time} for seconds, {name:files} counts files and
// links, and {name:job} jobs.
var templates = map[string]string{
	"under way":        "{percent} % of {bytes:size}, {bytes_per_second:size}/s, {seconds_left:time} left",
	"archive":          "archive of {job}: {bytes:size}",
	"report":           "{report} report of {job}: {bytes:size}",
	"starting again":   "starting again: {error}",
	"asking again":     "retrying in {wait_seconds:time}: {error}",
	"waiting":          "trying again in {wait_seconds:time}: {because}",
	"left out":         "left out {path}: {because}",
	"kept":             "kept the artifacts of {artifacts}",
	"deleted":          "deleted the artifacts of {artifacts}",
	"finished":         "job {job_id} finished: {status}",
	"nothing to fetch": "{source}: nothing to fetch: {error}",
	"written":          "{path} written, with {sources:source}: edit it, then run artifetch sync",
	"removed":          "removed from {path}: {names}",

	"GitLab's storage cannot be reached: GitLab is asked to send the archive itself":                  "cannot reach GitLab's storage {storage} ({error}): downloading through GitLab",
	"waiting for the archive, which is already being downloaded into the cache":                       "waiting for the archive of {archive}, which is already being downloaded into the cache",
	"waiting for another artifetch sync in this directory":                                            "another artifetch sync is changing {path} or its files: waiting for it to end",
	"the archive is not kept in the cache":                                                            "cannot keep the archive in the cache: {error}",
	"restored a file that a killed run had moved away":                                                "restored {path}, which a killed run had moved away",
	"cannot restore a file that a killed run had moved away; move it back by hand":                    "cannot restore {path}, which a killed run had moved away: move {now} back by hand",
	"cannot remove the staging directory; the next run tries again":                                   "cannot remove the staging directory {path}: {error}; the next run tries again",
	"GitLab deletes them in the background; the newest successful pipeline of each ref keeps its own": "GitLab deletes the artifacts of project {project} in the background; the newest successful pipeline of each ref keeps its own",
	"the dotenv report has empty values":                                                              "the dotenv report has no value for {variables}: {because}",
	"every source is what its query means":                                                            "{sources:source} up to date",
	"extra files removed":                                                                             "{files:extra file} removed",
	"everything is in place":                                                                          "{sources:source} in place",
	"everything matches the lock file":                                                                "{files:files} checked: everything matches the lock file",
	"the job also has reports; --report TYPE lists one":                                               "the job also has reports: {reports}; --report TYPE lists one",
	"the job also has reports; GitLab serves them since 19.4":                                         "the job also has reports: {reports}; GitLab serves them since 19.4",
	"project of this checkout":                                                                        "project {project} of this checkout (remote {remote}, server {server})",
	"trying the next ref":                                                                             "{because}: trying the next ref",
	"the search ends here; there may be more: --limit 0 searches everything":                          "the search ended after {searched:job}; there may be more: --limit 0 searches everything",
	"--limit ends the list here; there may be more":                                                   "--limit ends the list after {jobs:job}; there may be more",
	"kept: the source has this file no longer, but it has changed since it was locked":                "{source}: kept {path}: the source no longer has it, but it has changed since it was locked",
}

// sentence formats the record for people. A message without a template is followed by the
// error or the reason, if it has one.
func (r record) sentence() string {
	message := r.text(zerolog.MessageFieldName)
	template, known := templates[message]
	switch because := cmp.Or(r.text(zerolog.ErrorFieldName), r.text("because")); {
	case known:
	case (r["wait_seconds"] != nil || r["asked_seconds"] != nil) && r["url"] != nil: // the message is a request's method
		return r.failed(message)
	case because != "":
		return message + ": " + because
	default:
		return message
	}
	var b strings.Builder
	for template != "" {
		before, rest, _ := strings.Cut(template, "{")
		name, after, _ := strings.Cut(rest, "}")
		b.WriteString(before)
		b.WriteString(r.field(name))
		template = after
	}
	return b.String()
}

// field returns the value for a placeholder.
func (r record) field(name string) string {
	name, kind, _ := strings.Cut(name, ":")
	number, _ := r[name].(json.Number)
	switch kind {
	case "":
		return r.text(name)
	case "size":
		n, _ := number.Int64()
		return console.Size(n)
	case "time":
		seconds, _ := number.Float64()
		return console.Span(time.Duration(seconds * float64(time.Second)))
	case "files":
		files, _ := number.Int64()
		links, _ := r["links"].(json.Number)
		n, _ := links.Int64()
		return Files(int(files), int(n))
	}
	n, _ := number.Int64()
	return console.Count(n, kind)
}

// failed says which request failed, how, and whether it will be retried.
func (r record) failed(method string) string {
	what := r.text(zerolog.ErrorFieldName)
	if number, ok := r["status"].(json.Number); ok && what == "" {
		status, _ := number.Int64()
		what = strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(int(status))))
	}
	address, _, _ := strings.Cut(r.text("url"), "?") // -v shows it in full
	next := "retrying in " + r.field("wait_seconds:time")
	if r["asked_seconds"] != nil {
		next = "not retried, because the server asks to wait " + r.field("asked_seconds:time") + ", longer than --retry-max-time allows"
	}
	return fmt.Sprintf("%s %s: %s; %s", method, address, what, next)
}

// text returns a field as text; lists are separated by commas.
func (r record) text(name string) string {
	switch v := r[name].(type) {
	case nil:
		if id := r["job_id"]; name == "job" && id != nil { // the job's name isn't known
			return fmt.Sprintf("job %v", id)
		}
		return ""
	case []any:
		words := make([]string, len(v))
		for i, word := range v {
			words[i] = fmt.Sprint(word)
		}
		return strings.Join(words, ", ")
	default:
		return fmt.Sprint(v)
	}
}
