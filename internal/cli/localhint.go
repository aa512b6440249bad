package cli

import (
	"errors"
	"io/fs"
	"syscall"

	"gitlab.com/artifetch/artifetch/internal/openfiles"
)

// localHint returns what to do about a local error that has no hint of its own, or "".
func localHint(err error) string {
	if exitCode(err) != codeLocal {
		return ""
	}
	if openfiles.Exhausted(err) {
		return "raise the limit of open files (ulimit -n), or lower --concurrency"
	}
	for _, known := range []struct {
		err  error
		hint string
	}{
		{syscall.EFBIG, "raise the limit of file sizes (ulimit -f)"},
		{syscall.EDQUOT, "free some of your disk quota, or choose a directory on another disk"},
		{syscall.ENOSPC, "free some space or inodes (df -i), or choose a directory on another disk"},
		{syscall.EXDEV, "a directory below --output is on another file system: extract what goes there with an --output of its own"},
		{syscall.EROFS, "choose a directory that is not on a read-only file system"},
		{syscall.ESTALE, "run it again: the network file system has lost the directory"},
		{syscall.EIO, "check the disk for failures (dmesg)"},
		{fs.ErrPermission, "check the owner and permissions of the file and its directory, and attributes such as immutable (lsattr)"},
	} {
		if errors.Is(err, known.err) {
			return known.hint
		}
	}
	return ""
}
