// Package messages formats the messages of a run: records with fields for programs and
// for -v, sentences for everyone else.
//
//	messages.go   the log of a run
//	sentences.go  records → sentences
//	outcome.go    the line at the end that says what has arrived
package messages

import (
	"bytes"
	"encoding/json"
	"io"
	"time"

	"github.com/rs/zerolog"

	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/printable"
)

// Options say what is printed, and how.
type Options struct {
	Records bool // with fields, instead of sentences
	Level   zerolog.Level
}

// New returns the log of a run. Its messages are constant: names, refs and the server's
// words are fields. Numbers are in bytes and seconds.
func New(con *console.Console, o Options) zerolog.Logger {
	var w io.Writer = sentences{con}
	switch {
	case con.JSON():
		w = con.Messages()
	case o.Records:
		w = zerolog.ConsoleWriter{Out: con.Err, NoColor: !con.Coloured(), TimeFormat: time.TimeOnly, FieldsOrder: fieldsOrder()}
	}
	return zerolog.New(w).Level(o.Level).With().Timestamp().Logger()
}

// fieldsOrder puts the fields that people look for first; the others follow by name.
func fieldsOrder() []string {
	return []string{
		"source", "job", "job_id", "report", "pipeline", "ref", "pipelines_back", "status", "files", "bytes", "transferred", "archive_bytes", "requests",
		"percent", "bytes_per_second", "seconds", "seconds_left", "into", "path", "variables", "because", "url", "pipeline_url", "range", "request_id", "attempt", "wait_seconds",
	}
}

// sentences prints records as sentences.
type sentences struct{ con *console.Console }

// Write implements [io.Writer]. One call is one record.
func (s sentences) Write(p []byte) (int, error) {
	var r record
	d := json.NewDecoder(bytes.NewReader(p))
	d.UseNumber()
	if err := d.Decode(&r); err != nil {
		return 0, err
	}
	mark := ""
	if r.text(zerolog.LevelFieldName) == zerolog.LevelWarnValue {
		mark = "warning:"
	}
	if err := s.con.Say(console.Attention, mark, printable.Text(r.sentence())); err != nil {
		return 0, err
	}
	return len(p), nil
}
