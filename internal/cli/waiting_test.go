package cli

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"gitlab.com/artifetch/artifetch/resolve"
)

// The last look is when the time is over, and not where the next pause would be too
// long.
func TestWaitingUsesAllItsTime(t *testing.T) {
	t.Parallel()
	for _, limit := range []time.Duration{100 * time.Millisecond, 10 * time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			start, looks := time.Now(), 0
			var last time.Duration
			err := (&session{log: zerolog.Nop()}).waiting(t.Context(), limit, func(context.Context) error {
				last = time.Since(start)
				looks++
				return &resolve.NotFoundError{What: "job"}
			})
			if !is[*waitError](err) || last != limit || looks < 2 {
				t.Errorf("%d looks in %v, the last after %v: %v", looks, limit, last, err)
			}
		})
	}
}
