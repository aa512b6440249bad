//go:build unix

package space

import (
	"math"

	"golang.org/x/sys/unix"
)

func free(dir string) (bytes int64, known bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil || st.Blocks == 0 { // some network file systems don't count
		return 0, false
	}
	blocks, size := uint64(max(0, st.Bavail)), uint64(st.Bsize) //nolint:gosec,unconvert // signed on some systems
	if size > 0 && blocks > math.MaxInt64/size {
		return math.MaxInt64, true
	}
	return int64(blocks * size), true
}

func freeFiles(dir string) int64 {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil || st.Files == 0 { // such as btrfs
		return Unknown
	}
	return int64(min(uint64(max(0, st.Ffree)), Unknown)) //nolint:gosec,unconvert // signed on some systems
}
