//go:build unix

package atomicfile

import (
	"os"
	"regexp"
	"strconv"

	"golang.org/x/sys/unix"
)

var descriptorName = regexp.MustCompile(`^(?:/dev/(stdin|stdout|stderr)|/(?:dev|proc/self)/fd/([0-9]{1,9}))$`)

// descriptor returns a function that duplicates an open descriptor of the process, or
// nil if path isn't the name of one. Opening the path instead would start at the
// beginning of the file, so that two writers overwrite each other; and a socket can't
// be opened by its path.
func descriptor(path string) func() (*os.File, error) {
	m := descriptorName.FindStringSubmatch(path)
	if m == nil {
		return nil
	}
	fd, found := map[string]int{"stdin": 0, "stdout": 1, "stderr": 2}[m[1]]
	if !found {
		fd, _ = strconv.Atoi(m[2]) // digits
	}
	return func() (*os.File, error) {
		own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
		return os.NewFile(uintptr(own), path), nil
	}
}
