package cli

import (
	"fmt"
	"strconv"
	"time"

	"github.com/rs/zerolog"
	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/printable"
)

// A job log has sections that can be opened and closed:
// https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
const (
	sectionStart = "\x1b[0Ksection_start:%d:%s%s\r\x1b[0K%s\n"
	sectionEnd   = "\x1b[0Ksection_end:%d:%s\r\x1b[0K\n"
)

// section puts what is said from now on into a section of the job log, until the
// function that it returns is called. What it was all about is said behind it: a
// closed section hides everything. Outside of job logs it does nothing.
func (s *session) section(c *cli.Context, command, header string) (end func()) {
	w, ok := c.App.ErrWriter.(*screen)
	if !ok || !s.cfg.InCI || w.json.Load() || c.Bool("no-sections") || c.Bool("quiet") {
		return func() {}
	}
	name := "artifetch_" + command + "_" + strconv.FormatInt(time.Now().UnixNano(), 36)
	closed := "[collapsed=true]"
	if s.log.GetLevel() == zerolog.DebugLevel {
		closed = "" // who asks for more wants to see it
	}
	_, _ = fmt.Fprintf(w, sectionStart, time.Now().Unix(), name, closed, printable.Text(header)) // as all that goes to standard error
	s.sectioned = true
	return func() {
		s.sectioned = false
		_, _ = fmt.Fprintf(w, sectionEnd, time.Now().Unix(), name) // idem
	}
}

// detail is a message that would be too much, unless a section folds it away.
func (s *session) detail() *zerolog.Event {
	if s.sectioned {
		return s.log.Info()
	}
	return s.log.Debug()
}
