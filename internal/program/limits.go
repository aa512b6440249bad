package program

import (
	"fmt"
	"io"
	"os"

	"gitlab.com/artifetch/artifetch/internal/openfiles"
)

// fewest is how many open files the Go runtime and the standard streams need. Below that,
// the runtime prints a stack trace when the first timer or connection starts.
const fewest = 12

// codeLocal is the exit code for local limits: docs/cli.md lists the codes.
const codeLocal = 9

// checkLimits ends the program if it may have too few open files even to report that as an
// error. It must come before the first timer.
func checkLimits() {
	if !enough(openfiles.Limit(), os.Stderr) {
		os.Exit(codeLocal)
	}
}

func enough(limit int, out io.Writer) bool {
	if limit >= fewest {
		return true
	}
	_, _ = fmt.Fprintf(out, "artifetch: only %d files may be open at the same time\n  raise the limit of open files (ulimit -n) to 20 or more\n", limit) // this can't be reported anywhere
	return false
}
