package env

import "github.com/sethvargo/go-envconfig"

// Display is what the environment says about colours.
type Display struct {
	off, forced, dumb bool
	inCI              bool
}

// ReadDisplay reads NO_COLOR (https://no-color.org), CLICOLOR_FORCE
// (https://bixense.com/clicolors/), TERM, and whether this is a job. It never fails:
// errors about the rest of the environment may have colours, too.
func ReadDisplay(l envconfig.Lookuper) Display {
	value := func(name string) string { v, _ := l.Lookup(name); return v }
	return Display{
		off: value("NO_COLOR") != "", forced: truthy(value("CLICOLOR_FORCE")), dumb: value("TERM") == "dumb", inCI: truthy(value("GITLAB_CI")),
	}
}

// Coloured reports whether messages have colours. A job log isn't a terminal, but GitLab
// shows its colours.
func (d Display) Coloured(terminal bool) bool {
	return !d.off && (d.forced || d.inCI || terminal && !d.dumb)
}
