package cli

import (
	"testing"
	"time"

	"github.com/urfave/cli/v2"
)

// doctor doesn't wait for a slow server, nor for one that asks it to retry later, unless
// it is told to.
func TestImpatient(t *testing.T) {
	t.Setenv("ARTIFETCH_RETRIES", "")
	for _, tt := range []struct {
		env, flag string
		retries   int
		stall     time.Duration
	}{
		{"", "", -1, 10 * time.Second},
		{"1m", "", -1, time.Minute},
		{"1m", "--stall-timeout=2m", -1, 2 * time.Minute},
		{"", "--retries=3", 3, 10 * time.Second},
	} {
		t.Setenv("ARTIFETCH_STALL_TIMEOUT", tt.env)
		app := &cli.App{Flags: globalFlags(), Action: func(c *cli.Context) error {
			if err := flagsFromEnv(c, c.App.Flags); err != nil {
				return err
			}
			o := readImpatient(c)
			if retries, stall := o.retries, o.stallTimeout; retries != tt.retries || stall != tt.stall {
				t.Errorf("%+v: %d retries, %v", tt, retries, stall)
			}
			return nil
		}}
		args := []string{"artifetch"}
		if tt.flag != "" {
			args = append(args, tt.flag)
		}
		OneAtATime.Lock()
		err := app.Run(args)
		OneAtATime.Unlock()
		if err != nil {
			t.Error(err)
		}
	}
}
