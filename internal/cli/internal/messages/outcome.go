package messages

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/printable"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Outcome is a result: what has arrived, and where it is.
type Outcome struct {
	Source   string           // of a manifest
	Name     string           // where it is from, if that isn't a job
	Artifact resolve.Artifact // the job that it is from
	Warn     bool             // the job has failed, and the user didn't allow that
	Page     string           // the job's address; empty if unknown

	Files      int
	Links      int
	Single     bool // it is one file, and Files doesn't count
	Bytes      int64
	Again      int   // of Files, those that an outcome before has as well
	AgainBytes int64 // of these
	Whole      bool  // the archive itself, not its files
	Into       string
	Took       time.Duration
	Transfer   bool  // it came from a server
	Fetched    int64 // bytes that were transferred

	Change string // how it differs from what was there; may be empty
}

// Print prints a line for each outcome, and a total if there are several. total is the
// noun for them, such as "job".
func Print(con *console.Console, list []Outcome, total string) {
	for _, o := range list {
		o.print(con, len(list) == 1)
	}
	if len(list) > 1 {
		_ = con.Say(console.Good, "✓", sum(list, total)) // like every message
	}
}

func (o Outcome) print(con *console.Console, alone bool) {
	mark, style := "✓", console.Good
	if o.Warn {
		mark, style = "!", console.Attention
	}
	line := printable.Text(o.String())
	columns, page := con.Columns(), printable.Text(o.Page)
	if page != "" && columns > 0 && console.Width(mark+" "+line+"  "+page) <= columns {
		line, page = line+"  "+page, ""
	}
	_ = con.Say(style, mark, line) // like every message
	if page != "" && alone && (columns == 0 || len("  ")+console.Width(page) <= columns) {
		_, _ = fmt.Fprintln(con.Err, "  "+page)
	}
}

// String is the line without its mark.
func (o Outcome) String() string {
	parts := []string{o.subject()}
	if at := o.commit(); at != "" {
		parts = append(parts, at)
	}
	what := console.Size(o.Bytes)
	switch {
	case o.Whole:
		what = "archive, " + what
	case !o.Single:
		what = Files(o.Files, o.Links) + ", " + what
	}
	line := strings.Join(append(parts, what+" → "+o.Into), " · ")
	if o.Took > 0 {
		line += " (" + strings.Join(o.effort(), ", ") + ")"
	}
	if o.Change != "" {
		line += " · " + o.Change
	}
	return line
}

// Files counts files, and links if there are any.
func Files(files, links int) string {
	text := console.Count(files, "file")
	if links > 0 {
		text += ", " + console.Count(links, "link")
	}
	return text
}

// subject says where the files are from.
func (o Outcome) subject() string {
	a, text := o.Artifact, o.Name
	if text == "" {
		text = cmp.Or(a.JobName, "job")
		if a.JobID != 0 {
			text += " #" + strconv.FormatInt(a.JobID, 10)
		}
	}
	if a.Report.Type != "" {
		text = a.Report.Type + " report of " + text
	}
	if a.Failed() {
		text += " (" + a.Status + ")"
	}
	if o.Source != "" {
		text = o.Source + ": " + text
	}
	return text
}

// shaDigits is how many digits of a commit to show, as in GitLab's pages.
const shaDigits = 8

// commit identifies the project's version.
func (o Outcome) commit() string {
	a := o.Artifact
	sha := a.SHA[:min(len(a.SHA), shaDigits)]
	text := a.Ref
	switch {
	case text == "":
		text = sha
	case sha != "":
		text += " @ " + sha
	}
	if a.Back > 0 {
		text = strings.TrimPrefix(text+", "+console.Count(a.Back, "pipeline")+" back", ", ")
	}
	return text
}

// effort says how long it took, and how many bytes were transferred.
func (o Outcome) effort() []string {
	list := []string{console.Span(o.Took)}
	switch size := o.Artifact.Size; {
	case !o.Transfer:
	case o.Fetched == 0 && size > 0:
		list = append(list, "from the cache")
	case size > o.Fetched:
		list = append(list, console.Size(o.Fetched)+" fetched of "+console.Size(size))
	default:
		list = append(list, console.Size(o.Fetched)+" fetched")
	}
	return list
}

// sum describes all outcomes together.
func sum(list []Outcome, what string) string {
	all := Outcome{Name: console.Count(len(list), what)}
	for _, o := range list {
		all.Files, all.Links, all.Bytes, all.Whole = all.Files+o.Files-o.Again, all.Links+o.Links, all.Bytes+o.Bytes-o.AgainBytes, o.Whole
		all.Fetched, all.Transfer = all.Fetched+o.Fetched, all.Transfer || o.Transfer
		all.Artifact.Size += o.Artifact.Size
		all.Took = max(all.Took, o.Took)
	}
	files := Files(all.Files, all.Links)
	if all.Whole {
		files = console.Count(len(list), "archive")
	}
	return fmt.Sprintf("%s · %s, %s (%s)", all.Name, files, console.Size(all.Bytes), strings.Join(all.effort(), ", "))
}
