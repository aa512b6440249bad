package cli

import (
	"time"

	"github.com/rs/zerolog"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/console"
)

// newLogger makes the logger of a run. Messages are constant; names, refs and
// the server's words go into fields, which are quoted when they are printed.
func newLogger(o globalOptions, con *console.Console, cfg env.Config) (zerolog.Logger, error) {
	w := con.Err
	switch format := o.logFormat; format {
	case "json":
		w = con.Messages()
	case "", "auto", "console":
		w = zerolog.ConsoleWriter{Out: w, NoColor: !colored(cfg, con), TimeFormat: time.TimeOnly, FieldsOrder: fieldsOrder()}
	default:
		return zerolog.Nop(), usage("--log-format is none of auto, console, json", "leave it out for messages to people")
	}
	level := zerolog.InfoLevel
	switch {
	case o.verbose || cfg.Debug:
		level = zerolog.DebugLevel
	case o.quiet:
		level = zerolog.ErrorLevel
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger(), nil
}

// fieldsOrder puts what a person looks for first; other fields follow by name.
func fieldsOrder() []string {
	return []string{
		"source", "job", "job_id", "pipeline", "ref", "pipelines_back", "status", "files", "extracted", "transferred", "saved", "requests",
		"percent", "of", "took", "rate", "left", "into", "path", "variables", "because", "url", "pipeline_url", "range", "request_id", "attempt", "wait",
	}
}

// colored follows what GitLab's job log can show and what the user wants:
// https://no-color.org. A job log is no terminal, but it shows colours.
func colored(cfg env.Config, con *console.Console) bool {
	return !cfg.NoColor && (cfg.InCI || con.Watched())
}
