package console

import (
	"fmt"
	"strconv"
	"time"

	"gitlab.com/artifetch/artifetch/internal/printable"
)

// A job log has collapsible sections:
// https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
const (
	sectionStart = "\x1b[0Ksection_start:%d:%s%s\r\x1b[0K%s\n"
	sectionEnd   = "\x1b[0Ksection_end:%d:%s\r\x1b[0K\n"
)

// Section puts messages into a section of the job log until end is called. name consists
// of letters and underscores. open says whether the section is expanded.
func (c *Console) Section(name, heading string, open bool) (end func()) {
	name += "_" + strconv.FormatInt(time.Now().UnixNano(), 36) // each name must be unique in the log
	closed := "[collapsed=true]"
	if open {
		closed = ""
	}
	_, _ = fmt.Fprintf(c.Err, sectionStart, time.Now().Unix(), name, closed, printable.Text(heading)) // like every message
	return func() {
		_, _ = fmt.Fprintf(c.Err, sectionEnd, time.Now().Unix(), name) // like every message
	}
}
