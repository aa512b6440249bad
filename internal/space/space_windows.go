package space

import (
	"math"

	"golang.org/x/sys/windows"
)

func free(dir string) (bytes int64, known bool) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, false
	}
	var available uint64
	if err := windows.GetDiskFreeSpaceEx(name, &available, nil, nil); err != nil {
		return 0, false
	}
	return int64(min(available, math.MaxInt64)), true
}

func freeFiles(string) int64 { return Unknown }
