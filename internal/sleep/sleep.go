// Package sleep waits, but no longer than a context lasts.
package sleep

import (
	"context"
	"time"
)

// For waits for a duration, or until ctx ends, and returns the cause of that.
func For(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
