package filelock

import "context"

// Wait is what takes a turn.
func Wait(ctx context.Context, path string, waiting func()) (*Lock, error) {
	return wait(ctx, path, waiting, Take)
}

// WaitBy is Wait on another file system.
var WaitBy = wait
