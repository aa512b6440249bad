package program

import (
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A signal that comes twice at once must not end a run while it undoes what it did; a
// person who insists can end it.
func TestWatch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		after []time.Duration // of signals, one after the other
		exits bool
	}{
		{"one", []time.Duration{0}, false},
		{"twice at once", []time.Duration{0, 0}, false},
		{"from timeout and a wrapper", []time.Duration{0, time.Millisecond, 200 * time.Millisecond, 700 * time.Millisecond}, false},
		{"twice", []time.Duration{0, patience}, true},
		{"many at once, and again", []time.Duration{0, 0, 0, 0, 2 * patience}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				signals := make(chan os.Signal, 1)
				stops, exits := 0, 0
				go watch(signals, func(os.Signal) { stops++ }, func(os.Signal) { exits++ })
				for _, after := range tt.after {
					time.Sleep(after)
					signals <- syscall.SIGTERM
				}
				synctest.Wait()
				if stops != 1 || exits == 1 != tt.exits {
					t.Errorf("%d stops, %d exits", stops, exits)
				}
				if !tt.exits {
					close(signals)
				}
			})
		})
	}
}
